"""Signing in, members and Service Users."""

from django.urls import path

from accounts import member_urls
from accounts.views import (
    accept,
    enrolment,
    invitations,
    keys,
    passwords,
    profile,
    recovery,
    security,
    service_users,
    setup,
    sign_in,
)

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.verify, name="verify"),
    path("sign-in/recovery/", sign_in.recovery, name="sign_in_recovery"),
    path("sign-in/passkey/", sign_in.passkey, name="sign_in_passkey"),
    path("sign-in/passkey/options/", sign_in.passkey_options, name="sign_in_passkey_options"),
    path("enrol/", enrolment.enrol, name="enrol"),
    path("enrol/passkey/", enrolment.passkey, name="enrol_passkey"),
    path("enrol/passkey/options/", enrolment.passkey_options, name="enrol_passkey_options"),
    path("enrol/app/", enrolment.app, name="enrol_app"),
    path("security/", security.security, name="security"),
    path("security/confirm/", security.prove, name="prove"),
    path("security/passkey/", security.passkey_challenge, name="passkey_challenge"),
    path("security/recovery-codes/", enrolment.recovery_codes, name="recovery_codes"),
    path("security/factors/<str:kind>/<int:pk>/", security.factor, name="factor"),
    path("security/factors/<str:kind>/<int:pk>/rename/", security.rename, name="rename_factor"),
    path("security/factors/<str:kind>/<int:pk>/remove/", security.remove, name="remove_factor"),
    path("setup/", setup.setup, name="setup"),
    path("setup/review/", setup.review, name="setup_review"),
    path("password/forgotten/", passwords.forgotten, name="forgotten"),
    path("password/reset/", passwords.reset, name="reset"),
    path("password/reset/<str:token>/", passwords.reset_link, name="reset_link"),
    path("enrol/start/", passwords.enrol_start, name="enrol_start"),
    path("enrol/link/<str:token>/", passwords.enrol_link, name="enrol_link"),
    path("security/password/", passwords.change_password, name="change_password"),
    path("profile/", profile.profile, name="profile"),
    path("notices/<int:number>/seen/", profile.put_notice_away, name="put_notice_away"),
    path("welcome/", accept.welcome, name="welcome"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/new/", invitations.invite, name="invite"),
    path("invitations/accept/", accept.accept, name="accept"),
    path("invitations/<int:number>/accept/", accept.accept_more, name="accept_more"),
    path("invitations/<int:number>/send/", invitations.send_again, name="send_invitation_again"),
    path("invitations/<int:number>/revoke/", invitations.revoke, name="revoke_invitation"),
    # A token is longer than any word above.
    path("invitations/<str:token>/", accept.invitation, name="invitation"),
    path("recoveries/", recovery.recoveries, name="recoveries"),
    path("recoveries/<int:number>/cancel/", recovery.cancel, name="cancel_recovery"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("switch/", sign_in.switch, name="switch"),
    *member_urls.urlpatterns,
    path("service-users/", service_users.service_users, name="service_users"),
    # No bot can be called so: `accounts.limits.RESERVED`.
    path("service-users/new/", service_users.new_service_user, name="new_service_user"),
    path("service-users/<str:name>/", service_users.service_user, name="service_user"),
    path("service-users/<str:name>/change/", service_users.change, name="change_service_user"),
    path("service-users/<str:name>/suspend/", service_users.suspend, name="suspend"),
    path("service-users/<str:name>/lift/", service_users.lift, name="lift"),
    path("service-users/<str:name>/remove/", service_users.remove, name="remove"),
    path("service-users/<str:name>/keys/<str:public>/reveal/", keys.reveal, name="reveal"),
    path("service-users/<str:name>/keys/<str:public>/revoke/", keys.revoke, name="revoke"),
]
