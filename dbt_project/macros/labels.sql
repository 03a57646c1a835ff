{# Minutes as a Russian reader says them: «28 мин», «2 ч 28 мин», from 48 hours «2 сут 3 ч»; a part that is zero
   is left out, NULL is «нет данных», a negative difference has a minus sign. Spaces do not break. #}
{% macro create_duration_label() -%}
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
    {{ tell_readers_of(
        'duration_label(numeric)', 'Минуты словами: 148 → 2 ч 28 мин; от 48 часов — сутки и часы; NULL → нет данных'
    ) }}
{%- endmacro %}


{# A number as a Russian reader writes it: «54 548», with a digit «2,5», «−3»; NULL stays NULL. Functions of marts may
   not call each other: they are made in the schema that is built, which is renamed when it is published. #}
{% macro written_number(value, digits) -%}
    translate(
        to_char(
            round({{ value }}, {{ digits }}),
            'FM999,999,999,999,990' || case when {{ digits }} > 0 then '.' || repeat('0', {{ digits }}) else '' end
        ),
        ',.-', chr(160) || ',−'
    )
{%- endmacro %}


{# A number in words for a screen; NULL is «нет данных». #}
{% macro create_number_label() -%}
    create or replace function {{ schema_of('marts') }}.number_label(value numeric, digits integer default 0) returns text
    language sql immutable parallel safe
    as $function$
        select coalesce({{ written_number('value', 'digits') }}, 'нет данных')
    $function$;
    {{ tell_readers_of('number_label(numeric, integer)', 'Число словами: 54548 → 54 548; NULL → нет данных') }}
{%- endmacro %}


{# A share as a Russian reader writes it: 0.976 is «97,6 %»; NULL is «нет данных». #}
{% macro create_share_label() -%}
    create or replace function {{ schema_of('marts') }}.share_label(share numeric, digits integer default 1) returns text
    language sql immutable parallel safe
    as $function$
        select coalesce({{ written_number('100 * share', 'digits') }} || chr(160) || '%', 'нет данных')
    $function$;
    {{ tell_readers_of('share_label(numeric, integer)', 'Доля словами: 0,976 → 97,6 %; NULL → нет данных') }}
{%- endmacro %}


{# Says what a function is for, and lets those call it who read marts. #}
{% macro tell_readers_of(function, comment) -%}
    comment on function {{ schema_of('marts') }}.{{ function }} is '{{ comment }}';
    revoke all on function {{ schema_of('marts') }}.{{ function }} from public;
    grant execute on function {{ schema_of('marts') }}.{{ function }}
        to otklik_reader, otklik_analyst, otklik_auditor, otklik_engineer;
{%- endmacro %}
