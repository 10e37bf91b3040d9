from backend.store.engine import Database
from sqlalchemy import text
async def test_x(any_db: Database) -> None:
    assert await any_db.read(lambda tx: tx.execute(text("select count(*) from emails")).scalar_one()) == 0
async def test_y(any_db: Database) -> None:
    assert await any_db.write(lambda tx: tx.execute(text("select count(*) from emails")).scalar_one()) == 0
async def test_z(db: Database) -> None:
    assert await db.write(lambda tx: tx.execute(text("select count(*) from emails")).scalar_one()) == 0
