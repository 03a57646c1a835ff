"""What readers of dashboards may ask Superset for: what its charts ask, in no SQL of their own.

Whoever may read a dataset may put SQL into the query of a chart, and Superset looks in it for sub-queries only. A
function of PostgreSQL that runs a query (``ts_stat``, ``query_to_xml``) goes past that, and past the rows of one's own.
"""

from collections.abc import Iterator
from typing import Any

from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from superset.security import SupersetSecurityManager

_CLAUSES = ("where", "having")


class SecurityManager(SupersetSecurityManager):
    """Superset's own, but those who make no charts ask only for columns, and for conditions that a chart has."""

    def raise_for_access(self, *args: Any, query_context: Any = None, **rest: Any) -> None:
        """Raise SupersetSecurityException also for SQL of a reader's own."""
        super().raise_for_access(*args, query_context=query_context, **rest)
        if query_context is None or self.can_access("can_explore", "Superset"):
            return
        known = {column.column_name for column in query_context.datasource.columns}
        if any(text not in known for text in _expressions(query_context)) or not _conditions(
            query_context
        ) <= self._conditions_of_charts(query_context.datasource):
            message = "Здесь можно спрашивать только то, что показывают диаграммы."
            raise SupersetSecurityException(
                SupersetError(message, SupersetErrorType.DATASOURCE_SECURITY_ACCESS_ERROR, ErrorLevel.ERROR)
            )

    def _conditions_of_charts(self, datasource: Any) -> set[str]:
        """The conditions that charts of a dataset have in SQL, as a chart sends them."""
        from superset.models.slice import Slice
        from superset.sql.parse import sanitize_clause

        charts = self.session.query(Slice).filter_by(datasource_id=datasource.id, is_managed_externally=True)
        found = set()
        for chart in charts:
            written = [told for told in chart.params_dict.get("adhoc_filters", []) if told["expressionType"] == "SQL"]
            for clause in _CLAUSES:
                texts = [f"({told['sqlExpression']})" for told in written if told["clause"].lower() == clause]
                if texts:
                    found.add(sanitize_clause(" AND ".join(texts), datasource.database.db_engine_spec.engine))
        return found


def _expressions(query_context: Any) -> Iterator[str]:
    """Every expression that stands in a query where a name of a column or metric may stand."""
    for query in query_context.queries:
        ordered = [expression for expression, _ in query.orderby]
        filtered = [condition["col"] for condition in query.filter]
        limited = [query.series_limit_metric]
        for asked in (*query.columns, *(query.metrics or []), *query.series_columns, *ordered, *filtered, *limited):
            if isinstance(asked, dict) and "sqlExpression" in asked and asked["sqlExpression"] is not None:
                yield asked["sqlExpression"]


def _conditions(query_context: Any) -> set[str]:
    return {query.extras[clause] for query in query_context.queries for clause in _CLAUSES if query.extras.get(clause)}
