{# Of the versions in `versions` (rows of a staging model, all or those of touched keys), the latest of each `key`
   among those this build takes in: the greatest (updated_at, interval_to of its batch, batch_id, row_number).
   It may say that the source has the thing no more. #}
{% macro latest_version(versions, key) -%}
    select distinct on (version.{{ key | join(', version.') }})
        version.*,
        batch.interval_to
    from {{ versions }} as version
    inner join {{ ref('stg_raw__batch') }} as batch on version.batch_id = batch.batch_id
    where
        version.batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
    order by
        version.{{ key | join(', version.') }},
        version.updated_at desc, batch.interval_to desc, version.batch_id desc, version.row_number desc
{%- endmacro %}


{# Restricts `versions` to the batches of this build that no build before it took in. #}
{% macro is_of_this_build(versions) -%}
    {{ versions }}.batch_id > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
    and {{ versions }}.batch_id
    <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
{%- endmacro %}
