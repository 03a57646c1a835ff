{# Restricts an incremental run to the touched keys; the first build and a full refresh take every row.
   `columns` are the model's own, `keys` the touched table's where they are named otherwise. #}
{% macro and_touched(touched, columns, keys=none) -%}
    {% if is_incremental() -%}
        and ({{ columns | join(', ') }}) in (select {{ (keys or columns) | join(', ') }} from {{ touched }})
    {%- endif %}
{%- endmacro %}


{# The rows of a relation whose `column` lies in [starts, ends) of a touched period, or all of them. Each period is read
   by itself: of a join with a range the planner expects a ninth of all history, and reads all of it. `offset 0` keeps
   it from making that join of this. #}
{% macro of_touched_periods(relation, touched, column, starts, ends) -%}
    {% if is_incremental() -%}
        (
            select kept.*
            from {{ touched }} as touched
            cross join
                lateral (
                    select *
                    from {{ relation }} as every
                    where
                        every.region_code = touched.region_code
                        and every.{{ column }} >= touched.{{ starts }}
                        and every.{{ column }} < touched.{{ ends }}
                    offset 0
                ) as kept
        )
    {%- else -%}
        {{ relation }}
    {%- endif %}
{%- endmacro %}


{# For a pre-hook: takes out every row of the touched keys, also of keys that get no row back (an incident
   whose last message moved elsewhere). It runs in the transaction of the insert, so readers see no gap.
   `columns` and `keys` are those of and_touched. #}
{% macro forget_touched(touched, columns, keys=none) -%}
    {% if is_incremental() -%}
        delete from {{ this }}
        where ({{ columns | join(', ') }}) in (select {{ (keys or columns) | join(', ') }} from {{ touched }})
    {%- endif %}
{%- endmacro %}


{# For a post-hook: a table just made has no statistics, and what reads it next must not guess its size. #}
{% macro analyze_when_rebuilt() -%}
    {% if not is_incremental() %}analyze {{ this }}{% endif %}
{%- endmacro %}


{# Number of the last batch that these marts were completely built through; 0 before the first build.
   int_build is written last and read first, which ref() would refuse as a cycle. #}
{% macro built_through() -%}
    {% set build = adapter.get_relation(target.database, schema_of('intermediate'), 'int_build') if execute -%}
    {% if build -%}
        (select coalesce(max(batches_through), 0) from {{ build }})
    {%- else -%}
        0
    {%- endif %}
{%- endmacro %}


{# False when the table is built for the first time, or anew because the build was told so. What stands on it is built
   anew then, too, and asks nothing of it. #}
{% macro was_built_before() -%}
    {{ 'false' if execute and (flags.FULL_REFRESH or load_relation(this) is none) else 'true' }}
{%- endmacro %}
