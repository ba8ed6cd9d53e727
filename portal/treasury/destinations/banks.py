"""Bank accounts: `IBAN/holder` where SEPA pays, `BIC/account/holder` by SWIFT (ISO 13616, ISO 9362)."""

import re
import unicodedata
from typing import Final

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from portal.core.errors import Invalid

# The label of the part that is a name and not a number.
HOLDER: Final = "Holder"
HOLDER_LENGTH: Final = 70
ACCOUNT: Final = re.compile(r"[A-Z0-9]{4,34}", re.ASCII)
LIKE_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,}", re.ASCII)
PLAIN: Final = frozenset(" .,'()&+-0123456789")
# Who takes part in the scheme: euro transfers go nowhere else.
SEPA_COUNTRIES: Final = (
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE "
    "SI SK SM VA"
)


def sepa(text: str) -> str:
    """`IBAN/holder`, written canonically. Raises: Invalid beside the part that cannot be."""
    number, stroke, name = text.partition("/")
    if not stroke:
        raise Invalid("Write the IBAN and who holds the account.", field="holder")
    return f"{check_sepa_iban(number)}/{check_holder(name)}"


def swift(text: str) -> str:
    """`BIC/account/holder`, written canonically. Raises: Invalid beside the part that cannot be."""
    parts = text.split("/", 2)
    if len(parts) != len(("BIC", "account", "holder")):
        raise Invalid("Write the BIC, the account number and who holds the account.", field="holder")
    return f"{check_bic(parts[0])}/{check_account(parts[1])}/{check_holder(parts[2])}"


def check_sepa_iban(text: str) -> str:
    """The IBAN without spaces. Raises: Invalid, also for a country that euro transfers do not reach."""
    number = check_iban(text, field="iban")
    if number[:2] not in SEPA_COUNTRIES:
        raise Invalid(f"Euro transfers do not reach {number[:2]}: it takes no part in SEPA.", field="iban")
    return number


def check_iban(text: str, *, field: str) -> str:
    """The IBAN without spaces, its check digits and its country's form looked at. Raises: Invalid."""
    try:
        return ibans.validate(_compact(text))
    except ValidationError:
        raise Invalid("This is not an IBAN: a letter or digit is wrong or missing.", field=field) from None


def check_bic(text: str) -> str:
    """Raises: Invalid."""
    try:
        return bics.validate(_compact(text))
    except ValidationError:
        raise Invalid("A BIC has 8 or 11 letters and digits, and names a country.", field="bic") from None


def check_account(text: str) -> str:
    """An account number without spaces; one that begins as an IBAN has to be one. Raises: Invalid."""
    number = _compact(text)
    if LIKE_IBAN.fullmatch(number):
        return check_iban(number, field="account_number")
    if not ACCOUNT.fullmatch(number):
        raise Invalid("An account number has 4 to 34 letters and digits.", field="account_number")
    return number


def check_holder(text: str) -> str:
    """Who holds the account, in Latin letters as banks pass them on. Raises: Invalid."""
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip(" ")
    if not 1 <= len(name) <= HOLDER_LENGTH:
        raise Invalid(f"Write who holds the account, in at most {HOLDER_LENGTH} letters.", field="holder")
    for letter in name:
        if letter not in PLAIN and not unicodedata.name(letter, "").startswith("LATIN "):
            raise Invalid("Write the name in Latin letters, digits and . , ' ( ) & + - only.", field="holder")
    return name


def _compact(text: str) -> str:
    """Without the spaces and hyphens that people set for the eye; what else is unseen stays, and is refused."""
    return text.replace(" ", "").replace("-", "").upper() if text.isascii() else text
