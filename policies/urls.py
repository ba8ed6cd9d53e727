"""Inbox, requests and policies."""

from django.urls import path

from policies.views import batch, configure, freezes, inbox, locks, policies, requests, resubmit
from policies.views.groups import pages as groups
from policies.views.rehearsals import rehearse as rehearsals
from policies.views.rules import draft, page, review
from policies.views.simulator import replays, simulate

app_name = "policies"

urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/decide/", batch.batch, name="batch"),
    path("inbox/count/", inbox.inbox_count, name="inbox_count"),
    path("requests/<str:reference>/", requests.request_page, name="request"),
    path("requests/<str:reference>/decide/", requests.decide, name="decide"),
    path("requests/<str:reference>/cancel/", requests.cancel, name="cancel"),
    path("requests/<str:reference>/again/", resubmit.ask_again, name="ask_again"),
    path("groups/", groups.groups, name="groups"),
    path("groups/new/", groups.new_group, name="new_group"),
    path("groups/<int:number>/", groups.group, name="group"),
    path("groups/<int:number>/change/", groups.change, name="change_group"),
    path("groups/<int:number>/remove/", groups.remove, name="remove_group"),
    path("policies/", policies.policies, name="policies"),
    path("policies/freezes/", freezes.freezes, name="freezes"),
    path("policies/freezes/new/", freezes.freeze, name="freeze"),
    path("policies/freezes/<int:number>/longer/", freezes.freeze_longer, name="freeze_longer"),
    path("policies/freezes/<int:number>/lift/", freezes.lift_freeze, name="lift_freeze"),
    path("policies/simulate/", simulate.simulate, name="simulate"),
    path("policies/simulate/replays/", replays.start_replay, name="start_replay"),
    path("policies/simulate/replays/<str:reference>/", replays.replay, name="replay"),
    path("policies/simulate/replays/<str:reference>/now/", replays.replay_now, name="replay_now"),
    path("policies/simulate/replays/<str:reference>/cancel/", replays.cancel_replay, name="cancel_replay"),
    path("policies/<str:workflow>/", configure.configure, name="configure"),
    path("policies/<str:workflow>/remove/", configure.remove, name="remove"),
    path("policies/<str:workflow>/rules/", page.rules, name="rules"),
    path("policies/<str:workflow>/rules/draft/", draft.draft, name="draft"),
    path("policies/<str:workflow>/rules/new/", draft.new_rule, name="new_rule"),
    path("policies/<str:workflow>/rules/review/", review.review, name="review"),
    path("policies/<str:workflow>/rules/<str:key>/", draft.rule, name="rule"),
    path("policies/<str:workflow>/rules/<str:key>/requests/", page.matching, name="matching"),
    path("policies/<str:workflow>/roll-out/", configure.roll_out, name="roll_out"),
    path("policies/<str:workflow>/rehearse/", rehearsals.rehearse, name="rehearse"),
    path("policies/<str:workflow>/lock/", locks.lock, name="lock"),
    path("policies/<str:workflow>/unlock/", locks.unlock, name="unlock"),
]
