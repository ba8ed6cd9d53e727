"""What must hold for every route, operation, endpoint, model and template, also for those still to be written."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from policies.registry import all_operations
from policies.workflows import Right, Workflow
from portal.api import methods as api
from portal.api import permissions
from tests.routes import routes

ROOT = Path(settings.BASE_DIR)
TEMPLATES = {
    str(path.relative_to(ROOT / "templates")): path.read_text() for path in sorted((ROOT / "templates").rglob("*.html"))
}

# Open to strangers, and why.
PUBLIC = {
    "dashboard:home": "leads to the sign-in",
    "api:openapi": "describes the bots' API to whoever connects",
    "accounts:sign_in": "there is nobody yet",
    "accounts:verify": "there is half of somebody",
    "accounts:forgotten": "who forgot their password cannot sign in",
    "accounts:reset_link": "opened from a mail",
    "accounts:reset": "who forgot their password cannot sign in",
    "accounts:enrol_link": "opened from a mail",
    "accounts:enrol_start": "without a factor nobody can sign in",
    "accounts:invitation": "opened from a mail",
    "accounts:accept": "there is nobody yet",
    "accounts:setup": "there is no Organization yet",
    "accounts:setup_review": "there is no Organization yet",
    "accounts:sign_in_recovery": "there is half of somebody",
    "accounts:sign_in_passkey": "a passkey alone signs in",
    "accounts:sign_in_passkey_options": "a passkey alone signs in",
    "accounts:enrol": "a first factor is enrolled before there is a session; asks for the link's permit",
    "accounts:enrol_app": "as above",
    "accounts:enrol_passkey": "as above",
    "accounts:enrol_passkey_options": "as above",
    "accounts:here": "says whether anybody is signed in, and who, to themselves",
}
# Open to every Member. What they show depends on the reader's rights; each view says how.
SIGNED_IN = {
    "dashboard:history",
    "dashboard:export_history",
    "accounts:sign_out",
    "accounts:switch",
    "accounts:change_password",
    "accounts:profile",
    "accounts:put_notice_away",
    "accounts:welcome",
    "accounts:accept_more",
    "accounts:recoveries",
    "accounts:cancel_recovery",
    "accounts:security",
    "accounts:identity",
    "accounts:offer",
    "accounts:end_session",
    "accounts:end_other_sessions",
    "accounts:session_left",
    "accounts:stay",
    "accounts:prove",
    "accounts:passkey_challenge",
    "accounts:recovery_codes",
    "accounts:factor",
    "accounts:let_factor_count",
    "accounts:rename_factor",
    "accounts:remove_factor",
    "kraken:alarms",
    "kraken:acknowledge",
    "policies:ask_again",
    "policies:inbox",
    "dashboard:read_only",
    "policies:inbox_count",
    "policies:batch",
    "policies:request",
    "policies:decide",
    "policies:cancel",
    "policies:freezes",
    "policies:freeze",
    "policies:freeze_longer",
    "policies:lift_freeze",
}
# Security WB-2, WB-1: nothing that htmx or the browser would evaluate, nothing that the policy of the page forbids.
FORBIDDEN = {
    "hx-on": re.compile(r"\bhx-on\b"),
    "js: or javascript:": re.compile(r"\b(js|javascript):"),
    "hx-vars": re.compile(r"\bhx-vars\b"),
    "a trigger filter": re.compile(r"hx-trigger\s*=\s*\"[^\"]*\["),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "an inline style": re.compile(r"<style|\sstyle\s*="),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)"),
    "a foreign address": re.compile(r"(src|href|action)\s*=\s*[\"'](https?:)?//"),
    "a value in an hx-attribute": re.compile(r"\bhx-(?!get|post|target)[a-z-]+\s*=\s*\"[^\"]*\{\{"),
    "unescaped text": re.compile(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq\b"),
}


def test_whoever_is_not_signed_in_is_led_to_the_sign_in():
    """AZ-1: a route is closed unless it says otherwise."""
    assert "django.contrib.auth.middleware.LoginRequiredMiddleware" in settings.MIDDLEWARE
    after = settings.MIDDLEWARE.index("django.contrib.auth.middleware.LoginRequiredMiddleware")
    assert after > settings.MIDDLEWARE.index("django_otp.middleware.OTPMiddleware")


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_route_names_its_right_or_its_reason(route):
    """AZ-1: walk the resolver."""
    needs = getattr(route.view, "needs", None)
    if not getattr(route.view, "login_required", True):
        assert route.name in PUBLIC, "open to strangers, and not on the list"
    elif isinstance(needs, str):
        assert route.name in SIGNED_IN, "open to every Member, and not on the list"
    else:
        assert isinstance(needs, tuple), "names neither its workflow and right nor a reason"
        workflow, right = needs
        assert isinstance(workflow, Workflow)
        assert isinstance(right, Right)


def test_the_lists_name_only_routes_there_are():
    assert {*PUBLIC, *SIGNED_IN} <= {route.name for route in routes()}


@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.key)
def test_every_operation_is_named_in_a_test(operation):
    names = re.compile(rf"\b({operation.run.__name__}|{operation.params.__name__}|{re.escape(operation.key)})\b")
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path.name != Path(__file__).name]
    assert any(names.search(path.read_text()) for path in tests)


def test_every_endpoint_served_says_which_permissions_open_it():
    """AP-10: key permissions are deny-by-default per endpoint."""
    assert set(api.PRIVATE) <= set(permissions.PERMISSIONS)
    assert not set(api.PUBLIC) & set(permissions.PERMISSIONS)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds_what_could_be_evaluated(what):
    """WB-2: template lint."""
    found = {name: FORBIDDEN[what].search(text) for name, text in TEMPLATES.items()}
    assert {name: match.group() for name, match in found.items() if match} == {}


def test_no_script_evaluates_or_writes_markup():
    """WB-2: the same for our scripts."""
    forbidden = re.compile(r"\b(eval|innerHTML|outerHTML|insertAdjacentHTML|document\.write|new Function)\b")
    for script in (ROOT / "static/js").glob("*.js"):
        assert forbidden.search(script.read_text()) is None, script.name


def test_no_module_grows_beyond_three_hundred_lines():
    ours = [path for app in ("accounts", "policies", "portal") for path in (ROOT / app).rglob("*.py")]
    long = [str(path) for path in ours if path.parent.name != "migrations" and len(path.read_text().splitlines()) > 300]
    assert long == []
