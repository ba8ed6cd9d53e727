"""A key in a real browser: made, revealed once whatever one tries, and watched by axe on every page about it."""

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Person
from tests.browser.devices import violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def watched(somebody: Person, name: str) -> None:
    """Pictures at both widths in both themes, and what axe finds on each."""
    somebody.pictures(name)
    for scheme in ("light", "dark"):
        somebody.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1280, 360):
            somebody.page.set_viewport_size({"width": width, "height": 900})
            assert violations(somebody.page) == [], f"{name} {scheme} {width}"
    somebody.page.emulate_media(color_scheme="light")
    somebody.page.set_viewport_size({"width": 1280, "height": 900})


def kept(page: Page) -> str:
    """Everything that the browser keeps for this site where scripts could read it."""
    return str(
        page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])")
    )


def makes(owner: Person, name: str) -> Page:
    page = owner.goes_to("/service-users/new/?from=treasury-script")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("I mean it").check()
    page.get_by_role("button", name="Create service user").click()
    page.wait_for_url(f"**/service-users/{name}/")
    return page


def test_a_secret_is_revealed_once_whatever_one_tries(person):
    """SE-2, SE-3, SE-5: second tab, reload, back and forward; nothing in the browser's storage; masked and cleared."""
    owner = person("owner")
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=owner.portal.base_url)
    owner.comes_in()
    page = makes(owner, "vault-bot")
    second = owner.context.new_page()
    second.goto(page.url)
    page.clock.install()
    page.get_by_role("button", name="Reveal secret").click()
    heading = page.get_by_role("heading", name="Take the secret with you now")
    expect(heading).to_be_visible()
    secret = page.locator("[data-masked]").inner_text().replace("\n", "").replace(" ", "")
    assert len(secret) == 88
    assert secret[:12] not in kept(page)
    assert secret not in page.url + page.title()
    assert page.locator("main input").count() == 0
    watched(owner, "reveal")
    # Fault pages-C12: no example is cut at its end, on any screen.
    assert page.evaluate("[...document.querySelectorAll('pre')].every((e) => e.scrollWidth <= e.clientWidth)")

    page.get_by_role("button", name="Copy secret").click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.clock.run_for(62_000)
    expect(page.locator("[data-masked] .mask")).to_be_visible()
    assert secret[:6] not in source(page)
    page.get_by_role("button", name="Show", exact=True).click()
    assert secret[:6] in source(page)

    second.get_by_role("button", name="Reveal secret").click()
    expect(second.get_by_text("This secret was revealed before.")).to_be_visible()
    assert secret[:12] not in source(second)

    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    assert secret[:6] not in source(page)
    page.reload()
    assert secret[:12] not in source(page)
    for step in (page.go_back, page.go_forward, page.go_back):
        with suppress(Error):  # a page that must not be kept cannot be gone back to
            step(timeout=5_000)
        assert secret[:12] not in source(page)
    owner.goes_to("/service-users/vault-bot/")
    assert secret[:12] not in source(page) + kept(page)


def source(page: Page) -> str:
    """All of the page, once it has stopped going somewhere."""
    for _ in range(50):
        with suppress(Error):
            page.wait_for_load_state()
            return page.content()
        page.wait_for_timeout(100)
    raise AssertionError("the page never came to rest")


def test_leaving_and_coming_back_shows_nothing(person):
    """SE-2, SE-5: browser back from the page that follows."""
    owner = person("owner")
    owner.comes_in()
    page = makes(owner, "chest-bot")
    page.get_by_role("button", name="Reveal secret").click()
    secret = page.locator("[data-masked]").inner_text().replace("\n", "").replace(" ", "")
    page.get_by_role("link", name="I have stored it").click()
    page.wait_for_url("**/service-users/chest-bot/")
    with suppress(Error):
        page.go_back(timeout=5_000)
    assert secret[:12] not in source(page)
    owner.goes_to("/service-users/chest-bot/")
    assert secret[:12] not in source(page) + kept(page)


def test_the_form_says_what_could_go_wrong_while_it_is_filled_in(person):
    owner = person("owner")
    owner.comes_in()
    page = owner.goes_to("/service-users/new/")
    risk = page.locator("#risk")
    expect(risk).to_contain_text("Choose what it may do")
    page.get_by_role("checkbox", name="Withdraw").check()
    expect(risk).to_contain_text("send all that the Account holds")
    page.get_by_label("IP allow-list").fill("203.0.113.0/28, 127.0.0.1")
    page.get_by_label("Expiry").focus()
    expect(risk).to_contain_text("17 IPv4 addresses, yours among them")
    watched(owner, "new-service-user")


def test_the_pages_about_a_bot_pass_axe_and_fit_every_screen(person):
    owner = person("owner")
    owner.comes_in()
    for path, name in (
        ("/service-users/", "service-users"),
        ("/service-users/treasury-bot/", "service-user"),
        ("/service-users/treasury-bot/change/", "change-service-user"),
        ("/service-users/treasury-bot/rotate/", "rotate-key"),
        ("/service-users/treasury-bot/keys/1/refused/", "refused-calls"),
    ):
        owner.goes_to(path)
        watched(owner, name)
