-- Grain: one municipality of a region.
{{ config(materialized='table') }}

select
    region_code,
    oktmo as municipality_code,
    name as municipality,
    kind,
    residents
from {{ ref('municipality') }}
