{# Minutes as a Russian reader says them: «28 мин», «2 ч 28 мин», from 48 hours «2 сут 3 ч»; a part that is zero
   is left out, NULL is «нет данных», a negative difference has a minus sign. Spaces do not break. #}
{% macro create_duration_label() -%}
    {% set readers = 'otklik_reader, otklik_analyst, otklik_auditor, otklik_engineer' -%}
    create or replace function {{ schema_of('marts') }}.duration_label(minutes numeric) returns text
    language sql immutable parallel safe
    as $function$
        select case
            when minutes is null then 'нет данных'
            else
                case when round(minutes) < 0 then '−' else '' end
                || coalesce(nullif(concat_ws(' ',
                    nullif(parts.days, 0) || ' сут',
                    nullif(parts.hours, 0) || ' ч',
                    nullif(parts.odd_minutes, 0) || ' мин'
                ), ''), '0 мин')
        end
        from (select abs(round(minutes))::bigint as whole) as total
        cross join lateral (
            select
                case when whole >= 2880 then div(round(whole / 60.0), 24)::bigint end as days,
                case
                    when whole >= 2880 then mod(round(whole / 60.0), 24)::bigint
                    else whole / 60
                end as hours,
                case when whole < 2880 then whole % 60 end as odd_minutes
        ) as parts
    $function$;
    comment on function {{ schema_of('marts') }}.duration_label(numeric) is
        'Минуты словами: 148 → 2 ч 28 мин; от 48 часов — сутки и часы; NULL → нет данных';
    revoke all on function {{ schema_of('marts') }}.duration_label(numeric) from public;
    grant execute on function {{ schema_of('marts') }}.duration_label(numeric) to {{ readers }};
{%- endmacro %}
