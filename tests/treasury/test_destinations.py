"""What can be an address of which network, and what is said of what cannot."""

import pytest
from django.utils.html import strip_tags

from portal.core.errors import Invalid
from portal.treasury import destination_html, destinations
from portal.treasury.destinations import canonical, check_address, check_key, check_memo, ends, parts
from portal.venues.types import Destination
from tests.factories.world import BANK, BTC_COLD, ETH_COLD

SOLANA = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"
TAPROOT = "bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297"
IBAN = "DE89370400440532013000"
CHECKSUM, TEST_NETWORK = "checksum", "test network"


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("Bitcoin", BTC_COLD),
        ("Bitcoin", TAPROOT),
        ("Bitcoin", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"),
        ("Bitcoin", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("Bitcoin", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        ("Ethereum", ETH_COLD),
        ("Solana", SOLANA),
        ("SWIFT", BANK),
        ("SWIFT", "CHASUS33/000123456789/Demo & Sons, Inc."),
        ("SEPA", f"{IBAN}/M\u00fcller + S\u00f6hne"),
        ("Lightning", "lnbc1"),
    ],
)
def test_addresses_that_can_be(network, text):
    check_address(network, text)


@pytest.mark.parametrize(
    ("network", "typed", "kept"),
    [
        ("Bitcoin", BTC_COLD.upper(), BTC_COLD),
        ("Ethereum", ETH_COLD.lower(), ETH_COLD),
        ("SWIFT", "bukb gb 22/gb33 bukb 2020 1555 5555 55/Demo Treasury Ltd", BANK),
        ("SEPA", "de89 3704 0044 0532 0130 00/ A  B ", f"{IBAN}/A  B"),
    ],
)
def test_one_address_is_written_in_one_way(network, typed, kept):
    assert canonical(network, typed) == kept
    with pytest.raises(Invalid):
        check_address(network, typed)


@pytest.mark.parametrize(
    ("network", "text", "said"),
    [
        ("Bitcoin", "", "begins with"),
        ("Bitcoin", BTC_COLD[:-1] + "p", CHECKSUM),
        ("Bitcoin", BTC_COLD[:-1], CHECKSUM),
        ("Bitcoin", "Bc1" + BTC_COLD[3:], "mixed"),
        ("Bitcoin", "1BoatSLRHtKNngkdXEeobR76b53LETtpyU", CHECKSUM),
        ("Bitcoin", "1BoatSLRHtKNngkdXEeobR76b53LETtp0T", CHECKSUM),
        ("Bitcoin", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", TEST_NETWORK),
        ("Bitcoin", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", TEST_NETWORK),
        ("Bitcoin", "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", TEST_NETWORK),
        # Whole by their checksums: one byte short of an address, and of a network that is not Bitcoin.
        ("Bitcoin", "12D2adLM3UKy4Z4giRbReR6gjWx1w6Dz", CHECKSUM),
        ("Bitcoin", "3pNF6nfeJcHc413AEd3ezJYvWDY7sA893F", "another network"),
        # Witness version 1 with the checksum of version 0, and a version that nothing can spend.
        ("Bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", CHECKSUM),
        ("Bitcoin", "bc1sw50qgdz25j", "version"),
        ("Bitcoin", BTC_COLD[:-1] + "\u0430", CHECKSUM),
        ("Bitcoin", BTC_COLD + " ", CHECKSUM),
        ("Bitcoin", BTC_COLD + "\n", CHECKSUM),
        ("Bitcoin", "\u202e" + BTC_COLD, "begins with"),
        ("Bitcoin", BTC_COLD[:9] + "\u200b" + BTC_COLD[9:], CHECKSUM),
        ("Bitcoin", ETH_COLD, "an address on Ethereum, not on Bitcoin"),
        ("Ethereum", BTC_COLD, "an address on Bitcoin, not on Ethereum"),
        ("Ethereum", ETH_COLD[:-1], "40 digits"),
        ("Ethereum", ETH_COLD[2:], "40 digits"),
        ("Ethereum", "0x52908400098527886E0F7030069857D2E4169Ee7", CHECKSUM),
        ("Ethereum", "0x\u0665" + "0" * 39, "40 digits"),
        ("Ethereum", "0x" + "0" * 40, "Nobody"),
        ("Solana", "1" * 32, "Nobody"),
        ("Solana", SOLANA[:-3], "missing"),
        ("Solana", SOLANA.replace("7", "0"), "32 to 44"),
        ("Solana", SOLANA + "\u200d", "32 to 44"),
        ("SWIFT", "GB33BUKB20201555555555", "BIC, the account"),
        ("SWIFT", "BUKBGB2/GB33BUKB20201555555555/Demo", "8 or 11"),
        ("SWIFT", "BUKBZZ22/GB33BUKB20201555555555/Demo", "names a country"),
        ("SWIFT", "BUKBGB22/GB34BUKB20201555555555/Demo", "not an IBAN"),
        ("SWIFT", "BUKBGB22/12\u200b345/Demo", "4 to 34"),
        ("SWIFT", "BUKBGB22/12345/", "who holds"),
        ("SEPA", IBAN, "who holds"),
        ("SEPA", IBAN[:-1] + "1/Demo", "not an IBAN"),
        ("SEPA", "AE070331234567890123456/Demo", "do not reach AE"),
        ("SEPA", f"{IBAN}/D\u202eemo", "Latin"),
        ("SEPA", f"{IBAN}/\u0410cme", "Latin"),
        ("SEPA", f"{IBAN}/" + "x" * 71, "at most 70"),
        ("Lightning", "ln bc1", "visible"),
        *(
            (network, "a" * 10_000, "at most 200")
            for network in ("Bitcoin", "Ethereum", "Solana", "SWIFT", "SEPA", "X")
        ),
    ],
)
def test_addresses_that_cannot_be(network, text, said):
    """CR-15: bidi and zero-width characters are refused, as is all that would lose the money."""
    with pytest.raises(Invalid, match=said):
        check_address(network, text)


@pytest.mark.parametrize("key", ["a", "btc-cold", "Cold wallet 2", "x" * 40])
def test_names_that_can_be(key):
    check_key(key)


@pytest.mark.parametrize("key", ["", " a", "a ", "usd  bank", "a\u00a0b", "a\u200bb", "btc-c\u043eld", "x" * 65])
def test_names_that_cannot_be(key):
    """Nobody may add a name that reads on every page as one that is in the book, and leads elsewhere."""
    with pytest.raises(Invalid, match="name"):
        check_key(key)


@pytest.mark.parametrize(
    ("network", "memo"), [("Bitcoin", ""), ("Solana", "7"), ("SEPA", "invoice 4711"), ("X", "x" * 100)]
)
def test_memos_that_can_be(network, memo):
    check_memo(network, memo)


@pytest.mark.parametrize(
    ("network", "memo"),
    [
        ("Bitcoin", "7"),
        ("Ethereum", "7"),
        ("Solana", " "),
        ("Solana", "a\nb"),
        ("Solana", "\u202e"),
        ("Solana", "x" * 101),
    ],
)
def test_memos_that_cannot_be(network, memo):
    with pytest.raises(Invalid):
        check_memo(network, memo)


def test_what_an_eye_compares():
    assert ends("Bitcoin", BTC_COLD) == ("bc1q", "dq")
    assert ends("SWIFT", BANK) == ("GB33", "55")
    assert parts("SWIFT", "GB33BUKB20201555555555") == (("BIC", "GB33BUKB20201555555555"),), "of before, still shown"
    assert parts("SEPA", f"{IBAN}/A") == (("IBAN", IBAN), ("Holder", "A"))


def test_a_bank_is_named_by_its_number_and_its_holder_wherever_it_is_short():
    """fault pages-B9: groups of four went through the strokes, `BUKB GB22 … y Lt d`."""
    swift, sepa = "BUKBGB22/GB33BUKB20201555555555/Demo Treasury Ltd", "DE89370400440532013000/Nora Beck"
    assert destinations.short("SWIFT", swift) == "GB33BUKB…55555555, Demo Treasury Ltd"
    assert destinations.short("SEPA", sepa) == "DE893704…32013000, Nora Beck"
    assert destinations.short("Bitcoin", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq") == "bc1qar0s…zzwf5mdq"
    for kept, wanted in ((swift, "GB33 BUKB … 5555 55, Demo Treasury Ltd"), (sepa, "DE89 3704 … 0130 00, Nora Beck")):
        assert strip_tags(destination_html.ends_as_kept(kept)) == wanted
    told = strip_tags(destination_html.receiver(Destination("usd-bank", swift, "Bank transfer", "SWIFT", "")))
    assert "characters" not in told
