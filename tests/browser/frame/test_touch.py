"""What only a browser knows of pages on a phone: sizes for fingers, and lists that fit whatever stands in them."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LISTS = ("/inbox/", "/members/", "/service-users/", "/addresses/", "/withdrawals/", "/history/", "/policies/")
TOO_SMALL = """() => [...document.querySelectorAll(
      "main button, main .button, main select, main input, main summary, .topbar button")]
    .filter((e) => e.checkVisibility() && !["checkbox", "radio", "hidden"].includes(e.type))
    .map((e) => [e.textContent.trim() || e.name, e.getBoundingClientRect().height])
    .filter(([, height]) => height < 44)"""
RENAME_EVERYBODY = """(name) => {
  for (const face of document.querySelectorAll("main .actor > span:not(.sr):last-child, main tbody th > a"))
    face.textContent = name;
}"""
MOST = '<span aria-hidden="true">99+</span><span class="sr">more than 99</span>'
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
HIDDEN_SIDEWAYS = """() => [...document.querySelectorAll(".scroll")].map((e) => e.scrollWidth - e.clientWidth)"""
SWITCHER = """() => {
  const details = document.createElement("details");
  details.className = "switch"; details.dataset.dismiss = ""; details.open = true;
  details.innerHTML = "<summary>Demo Treasury</summary><button>Elsewhere</button>";
  document.querySelector(".rail").prepend(details);
  details.querySelector("button").focus();
}"""


TOLD = """
from accounts.models import User
from accounts.authentication.notifications import notify_security
notify_security(User.objects.get(email="{email}"), "password_changed")
"""


def test_everything_to_press_is_as_large_as_a_finger(portal, person):
    """LOOK: touch targets are at least 44 px for buttons and fields (fault pages-B18), those of a notice too."""
    portal.shell(TOLD.format(email=portal.member("ben")["email"]))
    ben = person("ben", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    ben.comes_in()
    expect(ben.goes_to("/inbox/").get_by_role("button", name="Put away")).to_be_visible()
    for path in (*LISTS, "/security/", "/profile/"):
        assert ben.goes_to(path).evaluate(TOO_SMALL) == [], path


def test_no_list_is_widened_by_the_longest_name_there_can_be(person):
    """Fault pages-B10: eighty letters without a space, at every width, and no column hidden by them."""
    owner = person("owner")
    owner.comes_in()
    for path in LISTS:
        for width in (360, 768, 1280):
            owner.page.set_viewport_size({"width": width, "height": 900})
            page = owner.goes_to(path)
            page.evaluate(RENAME_EVERYBODY, "W" * 80)
            assert page.evaluate(SIDEWAYS) <= 0, f"{path} at {width} px"
            assert max([0, *page.evaluate(HIDDEN_SIDEWAYS)]) <= 0 or width == 360, f"{path} at {width} px"


def test_four_policies_stand_in_rows_without_an_orphan(person):
    """Fault pages-C2: at 768 px two by two."""
    fay = person("fay")
    fay.comes_in()
    for width, abreast in ((360, 1), (768, 2), (1600, 4)):
        fay.page.set_viewport_size({"width": width, "height": 900})
        columns = fay.goes_to("/policies/").evaluate(
            "getComputedStyle(document.querySelector('.policies')).gridTemplateColumns.split(' ').length"
        )
        assert columns == abreast, width


def test_what_a_right_brings_along_is_shown_as_it_is_ticked(person):
    """Fault pages-C15: View is implied by each of the others, Initiate by Execute."""
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/invitations/new/")
    line = page.locator(".rights tbody tr").first
    assert line.get_by_text("implied").filter(visible=True).count() == 0
    line.locator("[data-right=approve]").check()
    expect(line.get_by_text("implied").filter(visible=True)).to_have_count(1)
    line.locator("[data-right=execute]").check()
    expect(line.get_by_text("implied").filter(visible=True)).to_have_count(2)


def test_escape_folds_the_switcher_back_and_gives_the_focus_to_it(person):
    """Fault pages-C21."""
    cleo = person("cleo")
    cleo.comes_in()
    page = cleo.goes_to("/history/")
    page.evaluate(SWITCHER)
    page.keyboard.press("Escape")
    assert page.locator("details[data-dismiss]").get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_app_on_the_phone_in_hand_is_opened_by_a_link(person):
    """Fault pages-B19: nobody can scan the screen that they hold; the key can be copied, too."""
    audit = person("audit", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    audit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    audit.comes_in()
    page = audit.goes_to("/enrol/app/")
    link = page.get_by_role("link", name="Open in your authenticator app")
    expect(link).to_be_visible()
    secret = page.locator("#key").text_content() or ""
    assert f"secret={''.join(secret.split())}" in (link.get_attribute("href") or "")
    page.get_by_text("Type the key by hand").click()
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "".join(secret.split())
    page.goto(f"{audit.portal.base_url}/enrol/")
    expect(page.get_by_label("Name")).to_have_value("Chrome on Linux")


def test_the_first_request_stands_on_the_first_screen_of_a_phone(asks, person, portal):
    """fault pages-B2: whole, below a notice, without a finger's move."""
    portal.shell(TOLD.format(email=portal.member("ben")["email"]))
    asks("0.01")
    ben = person("ben", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    ben.comes_in()
    page = ben.goes_to("/inbox/")
    expect(page.get_by_role("button", name="Put away")).to_be_visible()
    first = page.locator("main .row").first.bounding_box()
    assert first is not None
    assert first["y"] + first["height"] <= 740


def test_the_largest_counts_widen_no_page(person):
    """fault pages-B11: and the tab that one is on is there to be seen."""
    ben = person("ben", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    ben.comes_in()
    for tab in ("waiting", "mine", "all", "done"):
        page = ben.goes_to(f"/inbox/?tab={tab}")
        page.evaluate("count => document.querySelectorAll('.count').forEach((e) => { e.innerHTML = count; })", MOST)
        assert page.evaluate(SIDEWAYS) <= 0, tab
        box = page.locator(".tabs a[aria-current]").bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= 360) == (True, True), tab


PADDING = """(button) => {
  const box = button.getBoundingClientRect(), text = document.createRange();
  text.selectNodeContents(button.querySelector("span").firstChild);
  const inner = text.getBoundingClientRect();
  return Math.abs((inner.left - box.left) - (box.right - inner.right));
}"""
BEYOND_ITS_LETTERS = """(group) => {
  const text = document.createRange();
  text.selectNodeContents(group);
  return group.getBoundingClientRect().width - text.getBoundingClientRect().width;
}"""


def test_ones_own_security_reads_well_on_a_phone(person):
    """fault pages-C3: a date took seven lines. Fault pages-C6: of what it is the end, in the middle of its button."""
    audit = person("audit", viewport={"width": 360, "height": 740})
    audit.comes_in()
    page = audit.goes_to("/security/")
    when = page.locator("section[aria-labelledby=recent] tbody th").first.bounding_box()
    assert when is not None
    assert when["height"] < 72
    end = page.get_by_role("button", name="End session from").first
    assert end.evaluate(PADDING) <= 1


def test_the_last_letters_of_an_address_are_underlined_alone(person):
    """fault pages-C4: it was four wide under two."""
    audit = person("audit")
    audit.comes_in()
    ends = audit.goes_to("/addresses/").locator(".address > :last-child")
    expect(ends.first).to_be_visible()
    assert [end.evaluate(BEYOND_ITS_LETTERS) for end in ends.all()] == pytest.approx([0] * ends.count(), abs=1)
