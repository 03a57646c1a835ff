{# The columns of a relation, asked of the catalogue itself: dbt's own macro asks information_schema, which judges the
   rights on every column there is, and a night asks several hundred times. #}
{% macro postgres__get_columns_in_relation(relation) -%}
    {% call statement('get_columns_in_relation', fetch_result=True) %}
        select
            attribute.attname as column_name,
            format_type(attribute.atttypid, null) as data_type,
            information_schema._pg_char_max_length(attribute.atttypid, attribute.atttypmod) as character_maximum_length,
            information_schema._pg_numeric_precision(attribute.atttypid, attribute.atttypmod) as numeric_precision,
            information_schema._pg_numeric_scale(attribute.atttypid, attribute.atttypmod) as numeric_scale
        from pg_attribute as attribute
        where
            attribute.attrelid = to_regclass('{{ relation }}')
            and attribute.attnum > 0
            and not attribute.attisdropped
        order by attribute.attnum
    {% endcall %}
    {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{%- endmacro %}
