"""What the gateway says on every page."""

from accounts.reader import on_every_page
from portal.venues.kraken.alarms import line

on_every_page("alarms", asked=line.asked, told=line.told)
