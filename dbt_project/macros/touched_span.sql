{# For a pre-hook: takes out every row of the touched keys whose day lies in a touched span, both ends included. #}
{% macro forget_touched_span(touched, key) -%}
    {% if is_incremental() -%}
        delete from {{ this }} as kept
        using {{ touched }} as touched
        where
            kept.region_code = touched.region_code
            and kept.{{ key }} = touched.{{ key }}
            and kept.day between touched.first_day and touched.last_day
    {%- endif %}
{%- endmacro %}
