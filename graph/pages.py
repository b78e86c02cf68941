"""Reading many records, by id: a page is one answer, a list of rows, and the next is on its way while one is worked on.

Of each answer the driver makes far more than of each value in it, so the texts here answer with `page` once.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from neo4j import ManagedTransaction, Result

from graph import run_queries as queries
from graph.connection import Graph
from register.ids import SignalId, SubjectId

PAGE: Final = 500

Row = Any
"""What stands for one record in a page: its values, in the order of the text, or the only one."""


def every(graph: Graph, query: str) -> Iterator[Row]:
    """Stream what `query` finds after `$after`, at most `$page` at a time, by the id of each row's first value."""
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(graph.read, partial(_page, query=query, after=""))
        while page := coming.result():
            if more := len(page) == PAGE:
                coming = ahead.submit(graph.read, partial(_page, query=query, after=page[-1][0]["id"]))
            yield from page
            if not more:
                return


def some(graph: Graph, query: str, ids: Collection[str], going: Sequence[str] = ()) -> Iterator[Row]:
    """Stream what `query` finds of `$ids`, in the order of the ids; `$going` is the same for every page."""
    wanted = sorted(ids)
    pages = (wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE))
    with ThreadPoolExecutor(1) as ahead:
        coming: deque[Future[Sequence[Row]]] = deque()
        for page in pages:
            coming.append(ahead.submit(graph.read, partial(_of, query=query, ids=page, going=going)))
            if len(coming) > 1:
                yield from coming.popleft().result()
        for last in coming:
            yield from last.result()


def naming(graph: Graph, subjects: Collection[SubjectId]) -> frozenset[SignalId]:
    """Return the signals that mention one of `subjects`."""
    return frozenset(some(graph, queries.SIGNALS_NAMING, subjects))


def there(graph: Graph, ids: Collection[str]) -> frozenset[str]:
    """Return those of `ids` that a subject, signal or identifier has, by their indexes."""
    return frozenset(one for query in queries.THERE for (one,) in some(graph, query, ids))


def _page(tx: ManagedTransaction, *, query: str, after: str) -> Sequence[Row]:
    return _answer(tx.run(query, after=after, page=PAGE))


def _of(tx: ManagedTransaction, *, query: str, ids: Sequence[str], going: Sequence[str]) -> Sequence[Row]:
    return _answer(tx.run(query, ids=ids, going=going))


def _answer(found: Result) -> Sequence[Row]:
    page: Sequence[Row] = found.single(strict=True)["page"]
    return page
