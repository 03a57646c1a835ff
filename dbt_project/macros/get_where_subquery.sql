{# dbt's own way to restrict a test by its `where`, but for one thing: every `where` here restricts to what the build
   brought or touched, and is left out when all was built anew or nothing has been published yet. #}
{% macro get_where_subquery(relation) -%}
    {% set where = config.get('where', '') -%}
    {% set published = adapter.get_relation(target.database, schema_of('intermediate'), 'int_build') if execute -%}
    {% if where and published and not flags.FULL_REFRESH -%}
        (select * from {{ relation }} where {{ where }}) dbt_subquery
    {%- else -%}
        {{ relation }}
    {%- endif %}
{%- endmacro %}
