{# The schema is the layer's own name, not prefixed by the target's: rights are given by schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
