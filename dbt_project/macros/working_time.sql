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


{# Whether a policy is in force in a region when its clock starts. #}
{% macro is_in_force(policy, region_code, clock_started_at, time_zone) -%}
    coalesce({{ policy }}.region_code, {{ region_code }}) = {{ region_code }}
    and ({{ clock_started_at }} at time zone {{ time_zone }})::date
    between {{ policy }}.valid_from and coalesce({{ policy }}.valid_to, 'infinity')
{%- endmacro %}


{# Joins `in_force` to incidents: the policy in force when their clock started, for the priority of that moment; a
   priority that became known only later is taken for the one it had been all along. `priorities` has what is known of
   it, in the order in which it became known. The region's own row comes first, then the priority's own. Where `wanted`
   does not hold of the incident, nothing is looked for. #}
{% macro left_join_policy_in_force(incidents, received_at, priorities, wanted='true') -%}
left join
    lateral (
        select
            clock.clock_started_at,
            sla_policy.limit_minutes,
            sla_policy.unit
        from {{ ref('sla_policy') }} as sla_policy
        inner join
            lateral (
                values
                ('received', {{ received_at }}),
                ('registered', {{ incidents }}.registered_at),
                ('assigned', {{ incidents }}.assigned_at)
            ) as clock (clock_start, clock_started_at)
            on sla_policy.clock_start = clock.clock_start
        where
            {{ wanted }}
            and {{ is_in_force('sla_policy', incidents ~ '.region_code', 'clock.clock_started_at', incidents ~ '.time_zone') }}
            and (
                sla_policy.priority is null
                or sla_policy.priority
                = {{ priorities }}.known[greatest(width_bucket(clock.clock_started_at, {{ priorities }}.known_since), 1)]
            )
        order by
            sla_policy.region_code is null asc, sla_policy.priority is null asc, clock.clock_started_at asc
        limit 1
    ) as in_force
    on true
{%- endmacro %}


{# CTEs that end in `deadlines`: the rows of `clocks` (which have region_code, time_zone, clock_started_at,
   limit_minutes and unit) with policy_deadline_at. What ends with a working day is due that evening, not on the next
   morning. NULL without a clock, and where the calendar does not reach. #}
{% macro policy_deadlines(clocks) -%}
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
        -- A day without work has the number of the working day it comes before: the last of them is that day.
        (
            select working_day.day
            from {{ ref('int_working_day') }} as working_day
            where
                allowed.region_code = working_day.region_code
                and allowed.minutes_until > working_day.minutes_before
            order by working_day.minutes_before desc, working_day.day desc
            limit 1
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
            and due_days.minutes_until <= due_day.minutes_before + due_day.work_minutes
)
{%- endmacro %}
