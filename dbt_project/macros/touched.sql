{# Restricts an incremental run to the touched keys; the first build and a full refresh take every row.
   `columns` are the model's own, `keys` the touched table's where they are named otherwise. #}
{% macro and_touched(touched, columns, keys=none) -%}
    {% if is_incremental() -%}
        and ({{ columns | join(', ') }}) in (select {{ (keys or columns) | join(', ') }} from {{ touched }})
    {%- endif %}
{%- endmacro %}


{# The same for rows of touched periods: `column` of `alias` lies in [starts, ends) of the touched table. #}
{% macro join_touched_period(touched, alias, column, starts, ends) -%}
    {% if is_incremental() -%}
        inner join {{ touched }} as touched
            on
                {{ alias }}.region_code = touched.region_code
                and {{ alias }}.{{ column }} >= touched.{{ starts }}
                and {{ alias }}.{{ column }} < touched.{{ ends }}
    {%- endif %}
{%- endmacro %}


{# For a pre-hook: takes out every row of the touched keys, also of keys that get no row back (an incident
   whose last message moved elsewhere). It runs in the transaction of the insert, so readers see no gap. #}
{% macro forget_touched(touched, keys) -%}
    {% if is_incremental() -%}
        delete from {{ this }}
        where ({{ keys | join(', ') }}) in (select {{ keys | join(', ') }} from {{ touched }})
    {%- endif %}
{%- endmacro %}


{# For a post-hook: a table just made has no statistics, and what reads it next must not guess its size. #}
{% macro analyze_when_rebuilt() -%}
    {% if not is_incremental() %}analyze {{ this }}{% endif %}
{%- endmacro %}


{# Number of the last batch the marts were completely built through; 0 before the first build.
   int_published is written last and read first, which ref() would refuse as a cycle. #}
{% macro published_through() -%}
    {% set published = adapter.get_relation(target.database, 'intermediate', 'int_published') if execute -%}
    {% if published -%}
        (select coalesce(max(batches_through), 0) from {{ published }})
    {%- else -%}
        0
    {%- endif %}
{%- endmacro %}


{# False when the table is built for the first time, or anew because the build was told so. What stands on it is built
   anew then, too, and asks nothing of it. #}
{% macro was_built_before() -%}
    {{ 'false' if execute and (flags.FULL_REFRESH or load_relation(this) is none) else 'true' }}
{%- endmacro %}
