"""Members, their rights and identity, sessions, and the Organization itself; part of `accounts.urls`."""

from django.urls import path

from accounts.views.authentication import sessions
from accounts.views.emergency_stop import lift, stop
from accounts.views.members import identity, member, members, rights
from accounts.views.organizations import accounts, organization

urlpatterns = [
    path("members/", members.members, name="members"),
    path("members/<int:number>/", member.member, name="member"),
    path("members/<int:number>/rights/", rights.change, name="change_rights"),
    path("members/<int:number>/identity/", identity.review, name="review_identity"),
    path("members/<int:number>/suspend/", stop.suspend_member, name="suspend_member"),
    path("members/<int:number>/keep-out/", member.keep_out, name="keep_out"),
    path("members/<int:number>/lift/", member.lift, name="lift_member"),
    path("members/<int:number>/remove/", member.remove, name="remove_member"),
    path("members/<int:number>/reset-factors/", member.reset, name="reset_factors"),
    path("members/<int:number>/end-sessions/", stop.end_sessions, name="end_member_sessions"),
    path("stops/", lift.active_stops, name="active_stops"),
    path("stops/<int:number>/lift/", lift.lift_all, name="lift_stops"),
    path("identity/", identity.own, name="identity"),
    path("organization/", organization.organization, name="organization"),
    path("organization/security/", organization.security, name="change_security"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.new_account, name="new_account"),
    path("organization/owner/", organization.transfer, name="transfer"),
    path("organization/owner/offer/", organization.offer, name="offer"),
    path("security/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("security/sessions/<uuid:handle>/end/", sessions.end, name="end_session"),
    path("session/left/", sessions.left, name="session_left"),
    path("session/stay/", sessions.stay, name="stay"),
    path("session/here/", sessions.here, name="here"),
]
