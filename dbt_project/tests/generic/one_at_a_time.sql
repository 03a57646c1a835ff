{# Of rows that share these columns no two hold on the same day, and none ends before it starts; NULL is a value. #}
{% test one_at_a_time(model, columns) %}
select *
from (
    select
        *,
        lead(valid_from) over (partition by {{ columns | join(', ') }} order by valid_from) as next_valid_from
    from {{ model }}
) as periods
where
    coalesce(valid_to, 'infinity') < valid_from
    or next_valid_from <= coalesce(valid_to, 'infinity')
{% endtest %}
