{# Working time is a look-up, not a walk over days: int_working_day knows how many working minutes passed before each
   day, so what lies between two moments is the difference of two numbers. #}


{# Working minutes from the calendar's first day until a local moment; `day` is the alias of that moment's row in
   int_working_day. NULL where the calendar has no such day. #}
{% macro working_minutes_until(local_moment, day) -%}
    {{ day }}.minutes_before + least(
        greatest(extract(epoch from {{ local_moment }} - ({{ day }}.day + {{ day }}.work_starts)) / 60, 0),
        {{ day }}.work_minutes
    )
{%- endmacro %}


{# CTE `policies`: each policy in each region in which it holds, with the moments between which it is in force there.
   The region's own row has precedence, then the priority's own. Materialized, so that time zones are looked up once a
   policy and not once an incident. #}
{% macro policies() -%}
policies as materialized (
    select
        clock.region_code,
        sla_policy.priority,
        sla_policy.clock_start,
        sla_policy.limit_minutes,
        sla_policy.unit,
        sla_policy.valid_from::timestamp at time zone clock.time_zone as starts_at,
        coalesce((sla_policy.valid_to + 1)::timestamp at time zone clock.time_zone, 'infinity') as ends_at,
        rank() over (order by sla_policy.region_code is null, sla_policy.priority is null) as precedence
    from {{ ref('sla_policy') }} as sla_policy
    inner join {{ ref('int_region_clock') }} as clock
        on coalesce(sla_policy.region_code, clock.region_code) = clock.region_code
)
{%- endmacro %}


{# Joins `in_force` to incidents: of `policies` the one in force when their clock started, for the priority of that
   moment; a priority that became known only later is taken for the one it had been all along. `priorities` has what is
   known of it, in the order in which it became known. Where `wanted` does not hold of the incident, nothing is looked
   for. #}
{% macro left_join_policy_in_force(incidents, received_at, priorities, wanted='true') -%}
left join
    lateral (
        select
            clock.clock_started_at,
            policies.limit_minutes,
            policies.unit
        from policies
        cross join
            lateral (
                select
                    case policies.clock_start
                        when 'received' then {{ received_at }}
                        when 'registered' then {{ incidents }}.registered_at
                        when 'assigned' then {{ incidents }}.assigned_at
                    end as clock_started_at
            ) as clock
        where
            {{ wanted }}
            and policies.region_code = {{ incidents }}.region_code
            and policies.starts_at <= clock.clock_started_at
            and policies.ends_at > clock.clock_started_at
            and (
                policies.priority is null
                or policies.priority
                = {{ priorities }}.known[greatest(width_bucket(clock.clock_started_at, {{ priorities }}.known_since), 1)]
            )
        order by policies.precedence asc, clock.clock_started_at asc
        limit 1
    ) as in_force
    on true
{%- endmacro %}


{# CTEs that end in `deadlines`: the rows of `clocks` (which have region_code, time_zone, clock_started_at,
   limit_minutes and unit) with policy_deadline_at. What ends with a working day is due that evening, not on the next
   morning. NULL without a clock, and where the calendar does not reach. #}
{% macro policy_deadlines(clocks) -%}
-- The days of the calendar, the last first, by the working minutes at their end. Negative, so that they rise: then
-- width_bucket finds in a few steps, without a look-up in a table, how many days end no earlier than a moment.
calendars as materialized (
    select
        region_code,
        array_agg(day order by day desc) as days,
        array_agg(-(minutes_before + work_minutes)::double precision order by day desc) as ends
    from {{ ref('int_working_day') }}
    group by region_code
),

allowed as (
    select
        {{ clocks }}.*,
        {{ working_minutes_until(clocks ~ '.clock_started_at at time zone ' ~ clocks ~ '.time_zone', 'start_day') }}
        + {{ clocks }}.limit_minutes as minutes_until
    from {{ clocks }}
    left join {{ ref('int_working_day') }} as start_day
        on
            {{ clocks }}.region_code = start_day.region_code
            and ({{ clocks }}.clock_started_at at time zone {{ clocks }}.time_zone)::date = start_day.day
            and {{ clocks }}.unit = 'working'
),

due_days as (
    select
        allowed.*,
        (
            select calendars.days[width_bucket(-allowed.minutes_until::double precision, calendars.ends)]
            from calendars
            where allowed.region_code = calendars.region_code
        ) as due_day
    from allowed
),

deadlines as (
    select
        due_days.*,
        case due_days.unit
            when 'calendar' then due_days.clock_started_at + interval '1 minute' * due_days.limit_minutes
            when 'working'
                then
                    (
                        due_day.day + due_day.work_starts
                        + interval '1 minute' * (due_days.minutes_until - due_day.minutes_before)
                    ) at time zone due_days.time_zone
        end as policy_deadline_at
    from due_days
    left join {{ ref('int_working_day') }} as due_day
        on
            due_days.region_code = due_day.region_code
            and due_days.due_day = due_day.day
)
{%- endmacro %}
