-- Grain: one calendar day. What MetricFlow lines periods up on when it compares or accumulates them.
{{ config(materialized='view') }}

select every.day::date as day
from generate_series('2020-01-01'::timestamp, '2026-12-31'::timestamp, interval '1 day') as every (day)
