"""Names are kept without what can't be seen in them (`store.names`): what `m1 ` was called is `m1` now. Where
both are there, both stay, and the one that would read like the other is called `m1 (2)`.
"""

import sqlalchemy as sa
from alembic import op

from store.names import trimmed

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# By table, the columns that are unique together with the name.
KEYS = {"model": (), "suite": ("version",), "rater": ("kind", "version"), "campaign": ()}


def upgrade() -> None:
    connection = op.get_bind()
    for table, others in KEYS.items():
        columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in ("id", "name", *others)]
        rows = connection.execute(sa.select(*columns).select_from(sa.table(table)).order_by(columns[0])).all()
        taken = {tuple(row[1:]) for row in rows}
        for number, name, *rest in rows:
            if (plain := trimmed(name)) == name:
                continue
            new, count = plain or "unnamed", 1
            while (new, *rest) in taken:
                count += 1
                new = f"{plain or 'unnamed'} ({count})"
            taken.add((new, *rest))
            connection.execute(
                sa.text(f"UPDATE {table} SET name = :new WHERE id = :id"), {"new": new, "id": number}
            )
