"""What of policies is said on every page: they know no reader's statement that they could add it to."""

from accounts.reader import on_every_page
from policies.freezes import seen

on_every_page("freezes", asked=seen.asked, told=seen.told)
