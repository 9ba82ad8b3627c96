"""Good and bad writes of a generated database; test_expecting.py runs the checkers."""

from __future__ import annotations

from agent_session import Agent, AgentSession, AsyncAgentSession

from streamdb import AsyncTransaction, Transaction


def blocking(db: AgentSession, seen: Agent | None) -> None:
    db.agents.update("ada", name="Ada", expect=db.agents["ada"])
    db.agents.update("ada", lambda agent: agent, expect=db.agents["ada"])
    db.agents.update("ada", name="Ada", expect=None)  # E: that would check nothing
    db.agents.update("ada", name="Ada", expect=seen)  # E: it may be None
    db.agents.update("ada", name="Ada", expect="ada")  # E: no row
    transaction: Transaction = db.agents.update("ada", name="Ada")
    transaction.result()


async def asynchronous(db: AsyncAgentSession, seen: Agent | None) -> None:
    db.agents.update("ada", name="Ada", expect=seen)  # E: it may be None
    transaction: AsyncTransaction = db.agents.update("ada", name="Ada", expect=db.agents["ada"])
    await transaction


def several(db: AgentSession, ada: Agent, bob: Agent) -> None:
    transaction: Transaction = db.agents.insert([ada, bob])
    db.agents.upsert((ada, bob))
    db.agents.insert([ada, "bob"])  # E: no row
    db.agents.insert([db.messages["m1"]])  # E: a row of another collection
    db.agents.update(["ada", "bob"], name="A")
    db.agents.update([1, 2], name="A")  # E: keys are text
    db.agents.delete(db.agents.keys())
    db.agents.delete([1])  # E: keys are text
    transaction.synced()


async def several_async(db: AsyncAgentSession, ada: Agent, bob: Agent) -> None:
    transaction: AsyncTransaction = db.agents.insert([ada, bob])
    await transaction
