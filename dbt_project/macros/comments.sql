{# A column's comment in the database: its description, then in brackets its unit where it has one (meta.unit).
   It takes the place of dbt's own macro, which knows descriptions only. #}
{% macro postgres__alter_column_comment(relation, column_dict) %}
    {%- set existing = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
    {%- for name, column in column_dict.items() if name in existing %}
        {%- set unit = column.config.meta.unit %}
        {%- set comment = column.description | trim ~ (' [' ~ unit ~ ']' if unit else '') %}
        comment on column {{ relation }}.{{ adapter.quote(name) if column.quote else name }}
        is {{ postgres_escape_comment(comment) }};
    {%- endfor %}
{%- endmacro %}
