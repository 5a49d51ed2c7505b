"""Databases: list, copy, drop, look into. Connection data comes from PG* variables."""

import contextlib
import os
import shutil
from pathlib import Path

import psycopg2
from psycopg2 import sql

from .paths import CHECKOUT_ID


def name_for(purpose: str) -> str:
    """A database name that no other checkout uses."""
    return f"gdpr_{CHECKOUT_ID}_{purpose}"


@contextlib.contextmanager
def connection(database: str = "postgres"):
    handle = psycopg2.connect(dbname=database)
    handle.autocommit = True
    try:
        yield handle
    finally:
        handle.close()


def query(database: str, statement: str, parameters=()) -> list[tuple]:
    with connection(database) as handle, handle.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def _execute(statement: str, *names: str):
    with connection() as handle, handle.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def names(prefix: str) -> list[str]:
    """Existing databases whose name begins so, the newest first."""
    rows = query(
        "postgres",
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        " ORDER BY oid::bigint DESC",
        (prefix,),
    )
    return [name for (name,) in rows]


def exists(name: str) -> bool:
    return name in names(name)


def drop(name: str, data_dir: Path):
    _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    shutil.rmtree(data_dir / "filestore" / name, ignore_errors=True)


def rename(old: str, new: str, data_dir: Path):
    _execute("ALTER DATABASE {} RENAME TO {}", old, new)
    folder = data_dir / "filestore"
    if (folder / old).exists():
        (folder / old).rename(folder / new)


def copy(source: str, target: str, data_dir: Path):
    """Copy a database with its filestore (hard links: Odoo never rewrites a file)."""
    _execute("CREATE DATABASE {} TEMPLATE {}", target, source)
    files = data_dir / "filestore" / source
    if files.exists():
        shutil.copytree(files, data_dir / "filestore" / target, copy_function=os.link)


def installed_modules(database: str) -> set[str]:
    rows = query(
        database, "SELECT name FROM ir_module_module WHERE state = 'installed'"
    )
    return {name for (name,) in rows}
