from __future__ import annotations

import pytest
from spanloop_collector.errors import PermissionDeniedError
from spanloop_collector.keys.principal import Principal, Scope


def test_the_anonymous_principal_may_do_everything_everywhere() -> None:
    anonymous = Principal.anonymous()
    for scope in Scope:
        anonymous.require(scope)
    anonymous.require_project("any")


def test_admin_includes_the_other_scopes() -> None:
    admin = Principal("k", "", frozenset({Scope.ADMIN}))
    for scope in Scope:
        admin.require(scope)


def test_a_missing_scope_is_refused_by_name() -> None:
    reader = Principal("k1", "shop", frozenset({Scope.READ}))
    with pytest.raises(PermissionDeniedError, match=r"key k1 lacks the scope 'ingest' \(it has: read\)"):
        reader.require(Scope.INGEST)


def test_another_project_is_refused_by_name() -> None:
    reader = Principal("k1", "shop", frozenset({Scope.READ}))
    reader.require_project("shop")
    with pytest.raises(PermissionDeniedError, match="belongs to project 'shop', not to 'bank'"):
        reader.require_project("bank")
