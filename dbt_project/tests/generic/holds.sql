{# Every row satisfies the condition; unlike a check constraint, unknown is not good enough. #}
{% test holds(model, condition) %}
select *
from {{ model }}
where ({{ condition }}) is not true
{% endtest %}
