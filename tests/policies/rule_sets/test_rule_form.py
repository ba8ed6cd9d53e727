"""Writing one rule: chosen and typed, refused beside the field, and nothing lost (DESIGN P7)."""

import re
from decimal import Decimal

import pytest
from django.forms import MultipleChoiceField
from django.urls import reverse
from django.utils import timezone

from policies import drafts
from policies.forms.rules.rule import RuleForm
from policies.measures import measures
from policies.models import Group
from policies.rule_words import Names
from policies.rules import Facts
from policies.rules.language import Among, AtLeast, GroupApprovals, Rule, Scope, SumOf, Window
from policies.workflows import Workflow
from portal.treasury.models import Address

MONEY, ACCESS = Workflow.INITIATE_WITHDRAWAL, Workflow.MANAGE_ACCESS
NEW = reverse("policies:new_rule", args=[MONEY])
PAGE = reverse("policies:rules", args=[MONEY])
ONE = {"outcome": "ask", "of0_count": "1", "of0_group": "all", "always": "on"}


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def written(member, workflow=MONEY) -> tuple[Rule, ...]:
    draft = drafts.find(member, workflow)
    return (drafts.rules_of(draft) or ()) if draft else ()


def group_of(world, *members, called="Finance") -> Group:
    group = Group.objects.create(organization=world.organization, name=called, created_at=timezone.now())
    for member in members:
        group.memberships.create(member=member)
    return group


def many_addresses(world, number) -> list[str]:
    model = Address.objects.filter(organization=world.organization).first()
    assert model is not None
    names = [f"place-{place:04}" for place in range(number)]
    for place, name in enumerate(names):
        model.pk, model.key, model.address = None, name, f"0x{place:040x}"
        model.method, model.network, model.asset = "Ether", "Ethereum", "XETH"
        model.save(force_insert=True)
    return names


def test_a_whole_rule_is_written_without_a_language(world, ana, ben, cleo, browser):
    finance, board = group_of(world, ben, cleo), group_of(world, ben, called="Board")
    destination = next(each.value for each in measures().destinations(world.organization) if each.label == "btc-cold")
    typed = {
        "amount": "100000",
        "with_day_sum": "on",
        "asked_by": "member",
        "younger_hours": "24",
        "assets_how": "in",
        "assets": ["XXBT", "XETH"],
        "accounts_how": "out",
        "accounts": [str(world.account.pk)],
        "destinations_how": "in",
        "destinations": [destination],
        "initiators_how": "in",
        "initiators": [f"member:{ana.pk}"],
        "sum0_window": "7d",
        "sum0_scope": ["destination", "asset"],
        "sum0_amount": "0.25",
        "outcome": "ask",
        "of0_count": "2",
        "of0_group": str(finance.pk),
        "of1_count": "1",
        "of1_group": str(board.pk),
        "delay_hours": "12",
        "always": "on",
    }
    answer = browser(ana).post(NEW, typed)
    assert answer.headers["Location"] == PAGE
    assert written(ana)[-1] == Rule(
        groups=(GroupApprovals(finance.pk, 2), GroupApprovals(board.pk, 1)),
        delay_hours=12,
        amount=Decimal(100000),
        with_day_sum=True,
        sums=(AtLeast(SumOf((Scope.ASSET, Scope.DESTINATION), Window.WEEK), Decimal("0.25")),),
        assets=Among(("XETH", "XXBT")),
        accounts=Among((str(world.account.pk),), outside=True),
        destinations=Among((destination,)),
        initiators=Among((f"member:{ana.pk}",)),
        younger_hours=24,
        asked_by="member",
    )


def test_what_is_saved_comes_back_as_it_was_typed(world, ana, ben, browser):
    """Changing a rule without changing anything leaves it as it is."""
    finance = group_of(world, ben)
    rule = Rule(
        approvals=1,
        groups=(GroupApprovals(finance.pk, 1),),
        amount=Decimal("5000.5"),
        sums=(AtLeast(SumOf((), Window.HOUR), Decimal(7)), AtLeast(SumOf((Scope.ACCOUNT,)), Decimal(9))),
        assets=Among(("XXBT",), outside=True),
        always=False,
    )
    drafts.put(ana, MONEY, rule, key="", terms=None)
    client, url = browser(ana), reverse("policies:rule", args=[MONEY, drafts.key_of(rule)])
    answer = client.post(url, sent(client.get(url).content.decode()))
    assert answer.headers["Location"] == PAGE
    assert written(ana) == (rule,)


def sent(html) -> dict[str, list[str]]:
    """What a browser sends of a form that nobody has touched."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        fields = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if fields.get("type") not in {"checkbox", "radio"}:
            found.setdefault(fields.get("name", ""), []).append(fields.get("value", ""))
        elif re.search(r"\bchecked\b", tag):
            found.setdefault(fields.get("name", ""), []).append(fields.get("value", "on"))
    for name, inner in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found[name] = [chosen.group(1) if chosen else ""]
    return {name: values for name, values in found.items() if name and name != "csrfmiddlewaretoken"}


def test_the_sum_over_a_day_is_ticked_until_its_author_unticks_it(ana, browser):
    client = browser(ana)
    text = text_of(client.get(NEW))
    assert re.search(r'name="with_day_sum"[^>]*checked', text)
    assert "Else ten payments of a tenth leave below it." in text
    client.post(NEW, {**ONE, "amount": "5000", "with_day_sum": "on"})
    client.post(NEW, {**ONE, "amount": "6000"})
    assert [rule.with_day_sum for rule in written(ana)[-2:]] == [True, False]
    unticked = reverse("policies:rule", args=[MONEY, drafts.key_of(written(ana)[-1])])
    assert not re.search(r'name="with_day_sum"[^>]*checked', text_of(client.get(unticked)))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("amount", {"amount": "9" * 30}, "An amount is below a thousand million millions."),
        ("amount", {"amount": "100,000"}, "Write it in digits, without commas"),
        ("amount", {"amount": "-5"}, "Write it in digits, without commas"),
        ("amount", {"amount": "0"}, "The amount must be above zero."),
        ("amount", {"amount": "0.001"}, "An amount has two decimals at most."),
        ("assets", {"assets_how": "in"}, "Name one at least, or choose Any asset."),
        ("assets_how", {"assets": ["XXBT"]}, "Say how these assets count, or name none."),
        ("assets", {"assets_how": "in", "assets": ["NOPE"]}, "Select a valid choice."),
        ("younger_hours", {"younger_hours": "721"}, "less than or equal to 720"),
        ("of0_count", {"of0_count": ""}, "Say how many have to agree."),
        ("of0_count", {"of0_count": "21"}, "less than or equal to 20"),
        ("of1_group", {"of1_count": "2", "of1_group": "all"}, "It is named twice."),
        ("sum0_amount", {"sum0_window": "7d"}, "Say what amount it reaches"),
        ("sum0_window", {"sum0_amount": "5"}, "Say within what time"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field_and_nothing_is_lost(ana, browser, field, typed, said):
    answer = browser(ana).post(NEW, {**ONE, "delay_hours": "17", **typed})
    text = text_of(answer)
    assert answer.status_code == 200
    assert f'href="#id_{field}"' in text
    assert said in text
    assert 'value="17"' in text
    assert all(f'value="{value}"' in text for value in typed.values() if isinstance(value, str) and value)
    assert written(ana) == ()


def test_a_group_without_members_is_refused_beside_it(world, ana, browser):
    empty = group_of(world)
    text = text_of(browser(ana).post(NEW, {**ONE, "of0_group": str(empty.pk)}))
    assert "Finance has no members. Put somebody in first." in text
    assert written(ana) == ()


def test_a_group_of_another_organization_cannot_be_chosen(world, ana, eve, browser):
    theirs = Group.objects.create(organization=world.elsewhere, name="Theirs", created_at=timezone.now())
    theirs.memberships.create(member=eve)
    assert "Select a valid choice" in text_of(browser(ana).post(NEW, {**ONE, "of0_group": str(theirs.pk)}))
    assert written(ana) == ()


def test_denying_counts_whatever_else_is_filled_in(ana, browser):
    browser(ana).post(NEW, {**ONE, "outcome": "deny", "delay_hours": "5"})
    assert written(ana)[-1] == Rule(deny=True)


def test_hundreds_of_addresses_are_found_and_named_without_a_script(world, ana, browser):
    """A form holds a hundred fields: there they are names, one to a line, with a search in what there is."""
    names = many_addresses(world, 150)
    client = browser(ana)
    text = text_of(client.post(NEW, {**ONE, "destinations_find": "place-014", "look": "destinations", "amount": "5"}))
    assert text.count('name="destinations_add"') == 8
    assert "And 2 more. Type more of the name to see them." in text
    assert 'name="amount" value="5"' in text
    assert 'role="alert"' not in text
    value = next(each.value for each in measures().destinations(world.organization) if each.label == names[147])
    more = {
        **ONE,
        "destinations": names[3],
        "destinations_add": [value],
        "destinations_find": "",
        "look": "destinations",
    }
    assert f"{names[3]} {names[147]}" in text_of(client.post(NEW, more))
    assert written(ana) == ()
    client.post(NEW, {**ONE, "destinations_how": "in", "destinations": f"{names[3]}\r\n\r\n {names[147]}\r\n"})
    (rule,) = written(ana)[-1:]
    assert rule.destinations is not None
    assert len(rule.destinations.values) == 2
    changed = text_of(client.get(reverse("policies:rule", args=[MONEY, drafts.key_of(rule)])))
    assert f"{names[3]} {names[147]}" in changed


def test_a_list_of_thousands_is_refused_beside_it_and_kept(world, ana, browser):
    many_addresses(world, 15)
    lines = [f"nobody-{place}" for place in range(10_000)]
    text = text_of(browser(ana).post(NEW, {**ONE, "destinations_how": "in", "destinations": "\n".join(lines)}))
    assert "10,000 are listed, and 1,000 are the most." in text
    assert "nobody-9999" in text
    few = text_of(browser(ana).post(NEW, {**ONE, "destinations_how": "in", "destinations": "\n".join(lines[:5])}))
    assert "Not known here: nobody-0, nobody-1, nobody-2 and 2 more." in few
    assert written(ana) == ()


def test_whatever_is_filled_in_a_form_of_ours_can_be_sent(settings):
    """A form of more fields than that is refused before anybody reads it."""
    eight = {str(place): f"Name {place}" for place in range(8)}
    hundreds = {str(place): f"Name {place}" for place in range(300)}
    groups = {place: f"Group {place}" for place in range(60)}
    many = tuple(GroupApprovals(place, 1) for place in range(10))
    counted = (SumOf((), window) for window in Window)
    rule = Rule(approvals=1, groups=many, sums=tuple(sorted(AtLeast(each, Decimal(5)) for each in counted)))
    for options in (eight, hundreds):
        names = Names("EUR", groups, options, options, options, options)
        form = RuleForm(None, began_as=rule, names=names, facts=Facts("any", groups=groups), by_amount=True)
        boxes = [field for field in form if isinstance(field.field, MultipleChoiceField)]
        most = len(list(form)) - len(boxes) + sum(len(list(field)) for field in boxes)
        found = 4 * 8 if options is hundreds else 0
        # The token, and the button that was pressed.
        assert most + found + 2 <= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS


def test_more_rows_are_had_for_the_asking_and_nothing_typed_is_lost(world, ana, ben, browser):
    group_of(world, ben)
    client = browser(ana)
    typed = {**ONE, "of0_count": "3", "amount": "12,5", "more": "of"}
    text = text_of(client.post(NEW, typed))
    assert 'name="of1_count"' in text
    assert 'name="of0_count" value="3"' in text
    assert 'value="12,5"' in text
    assert 'role="alert"' not in text
    assert 'name="sum1_amount"' in text_of(client.post(NEW, {**ONE, "more": "sum", "sum0_amount": "8"}))
    assert written(ana) == ()


def test_other_workflows_ask_groups_and_nothing_else(world, ana, ben, browser):
    finance = group_of(world, ben)
    client, url = browser(ana), reverse("policies:new_rule", args=[ACCESS])
    text = text_of(client.get(url))
    assert all(f'name="{name}"' not in text for name in ("amount", "outcome", "delay_hours", "assets_how"))
    client.post(url, {"of0_count": "1", "of0_group": str(finance.pk), "amount": "5", "outcome": "deny"})
    assert written(ana, ACCESS)[-1] == Rule(groups=(GroupApprovals(finance.pk, 1),), always=False)


def test_going_back_and_saving_again_writes_over_nothing_else(ana, browser):
    """The form of a rule that is not there any more adds it, and says so."""
    client = browser(ana)
    client.post(NEW, {**ONE, "amount": "5000"})
    old = reverse("policies:rule", args=[MONEY, drafts.key_of(written(ana)[-1])])
    before = len(written(ana))
    client.post(old, {**ONE, "amount": "6000"})
    assert len(written(ana)) == before
    answer = client.post(old, {**ONE, "amount": "7000"}, follow=True)
    assert "was not in your draft any more" in text_of(answer)
    assert [rule.amount for rule in written(ana)[-2:]] == [Decimal(6000), Decimal(7000)]
    gone = client.get(old, follow=True)
    assert "There is no such rule in your draft any more." in text_of(gone)


def test_a_copy_begins_as_the_rule_it_is_of(ana, browser):
    client = browser(ana)
    client.post(NEW, {**ONE, "amount": "5000"})
    text = text_of(client.get(NEW, {"like": drafts.key_of(written(ana)[-1])}))
    assert 'name="amount" value="5000"' in text
