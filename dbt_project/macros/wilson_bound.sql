{# A bound of the 95 % Wilson score interval of `part` of `whole`; `side` is '-' for the lower one, '+' for the upper.
   NULL where the whole is nobody. #}
{% macro wilson_bound(part, whole, side) -%}
    {# The quantile of the normal distribution at 97.5 %, squared. #}
    {%- set z_squared = '3.841458820694124' -%}
    (
        (
            {{ part }} + {{ z_squared }} / 2
            {{ side }} sqrt(
                {{ z_squared }} * ({{ part }} * ({{ whole }} - {{ part }})::numeric / nullif({{ whole }}, 0) + {{ z_squared }} / 4)
            )
        ) / ({{ whole }} + {{ z_squared }})
    )::numeric(9, 6)
{%- endmacro %}
