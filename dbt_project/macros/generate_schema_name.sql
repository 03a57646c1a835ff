{# The schema is the layer's own name, not prefixed by the target's: rights are given by schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ schema_of((custom_schema_name or target.schema) | trim) }}
{%- endmacro %}


{# Where the target builds a layer. What people see is built beside itself, and takes its place when it is checked
   (otklik.warehouse.publish); views on `raw` and the seeds are the same for both. #}
{% macro schema_of(layer) -%}
    {{ layer ~ ('_next' if target.name == 'next' and layer in ('intermediate', 'marts') else '') }}
{%- endmacro %}
