{# A mergeable histogram of minutes (the buckets of DDSketch: each is 2 % wide, so that a value told by its bucket is
   within 1 % of the true one). Written as `bucket:count bucket:count`; two are merged by a space between them,
   which string_agg does for any slice. #}
{% macro minutes_bucket(minutes) -%}
    case when {{ minutes }} > 0 then ceil(ln({{ minutes }}::float8) / ln({{ bucket_growth() }}))::integer else {{ zero_bucket() }} end
{%- endmacro %}


{# (1 + 1 %) / (1 − 1 %). #}
{% macro bucket_growth() -%} (1.01::float8 / 0.99::float8) {%- endmacro %}


{# The bucket of «at once», below that of a millionth of a minute. #}
{% macro zero_bucket() -%} -1000 {%- endmacro %}


{# marts.histogram_percentile(string_agg(histogram, ' '), 0.9): as percentile_cont, of buckets. #}
{% macro create_histogram_percentile() -%}
    create or replace function {{ schema_of('marts') }}.histogram_percentile(histogram text, share numeric) returns numeric
    language sql immutable parallel safe
    as $function$
        with buckets as (
            select
                split_part(entry, ':', 1)::integer as bucket,
                sum(split_part(entry, ':', 2)::bigint) as bucket_count
            from unnest(string_to_array(histogram, ' ')) as entry
            group by 1
        ),

        cumulated as (
            select
                case
                    when bucket = {{ zero_bucket() }} then 0
                    else 2 * power({{ bucket_growth() }}, bucket) / ({{ bucket_growth() }} + 1)
                end as minutes,
                sum(bucket_count) over (order by bucket) as count_through,
                share * (sum(bucket_count) over () - 1) as place
            from buckets
        ),

        neighbours as (
            select
                min(minutes) filter (where count_through > floor(place)) as below,
                min(minutes) filter (where count_through > ceil(place)) as above,
                max(place - floor(place)) as share_of_above
            from cumulated
        )

        select (below + (above - below) * share_of_above::float8)::numeric from neighbours
    $function$;
    {{ tell_readers_of(
        'histogram_percentile(text, numeric)',
        'Процентиль времени ответа по гистограммам среза с точностью до 1 %: '
        ~ "histogram_percentile(string_agg(histogram, '' ''), 0.9)"
    ) }}
{%- endmacro %}
