-- Grain: one date of the production calendar of Russia, the same for every region.
{{ config(materialized='table') }}

select
    day,
    extract(year from day)::integer as year,
    extract(quarter from day)::integer as quarter,
    extract(month from day)::integer as month,
    (array[
        'январь', 'февраль', 'март', 'апрель', 'май', 'июнь',
        'июль', 'август', 'сентябрь', 'октябрь', 'ноябрь', 'декабрь'
    ])[extract(month from day)] as month_name,
    date_trunc('month', day)::date as month_start,
    extract(isoyear from day)::integer as iso_year,
    extract(week from day)::integer as iso_week,
    extract(isodow from day)::integer as weekday,
    (array['понедельник', 'вторник', 'среда', 'четверг', 'пятница', 'суббота', 'воскресенье'])[extract(isodow from day)]
        as weekday_name,
    kind as day_kind,
    kind_label as day_kind_label,
    holiday,
    moved_from,
    is_working_day,
    is_shortened
from {{ ref('int_calendar_day') }}
