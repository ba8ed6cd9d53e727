"""Signing in, members and Service Users."""

from django.urls import path

from accounts import member_urls
from accounts.views.api_keys import keys, refused_calls, sockets
from accounts.views.authentication import passwords, sign_in
from accounts.views.emergency_stop import lift, stop
from accounts.views.members import accept_invitation, invitations, profile
from accounts.views.organizations import setup
from accounts.views.security import enrolment, operator_recovery, overview
from accounts.views.service_users import service_user_list, service_users

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
    path("security/", overview.security, name="security"),
    path("security/confirm/", overview.prove, name="prove"),
    path("security/passkey/", overview.passkey_challenge, name="passkey_challenge"),
    path("security/recovery-codes/", enrolment.recovery_codes, name="recovery_codes"),
    path("security/factors/<str:kind>/<int:pk>/", overview.factor, name="factor"),
    path("security/factors/<str:kind>/<int:pk>/rename/", overview.rename, name="rename_factor"),
    path("security/factors/<str:kind>/<int:pk>/remove/", overview.remove, name="remove_factor"),
    path("security/factors/<str:kind>/<int:pk>/count/", overview.let_count, name="let_factor_count"),
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
    path("welcome/", accept_invitation.welcome, name="welcome"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/new/", invitations.invite, name="invite"),
    path("invitations/accept/", accept_invitation.accept, name="accept"),
    path("invitations/<int:number>/accept/", accept_invitation.accept_more, name="accept_more"),
    path("invitations/<int:number>/send/", invitations.send_again, name="send_invitation_again"),
    path("invitations/<int:number>/revoke/", invitations.take_back, name="revoke_invitation"),
    # A token is longer than any word above.
    path("invitations/<str:token>/", accept_invitation.invitation, name="invitation"),
    path("recoveries/", operator_recovery.recoveries, name="recoveries"),
    path("recoveries/<int:number>/cancel/", operator_recovery.cancel, name="cancel_recovery"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("switch/", sign_in.switch, name="switch"),
    *member_urls.urlpatterns,
    path("service-users/", service_user_list.service_users, name="service_users"),
    path("service-users.csv", service_user_list.service_users_csv, name="service_users_csv"),
    # No bot can be called so: `accounts.service_users.key_settings.RESERVED`.
    path("service-users/new/", service_users.new_service_user, name="new_service_user"),
    path("service-users/new/risk/", service_users.risk, name="key_risk"),
    path("service-users/<str:name>/", service_users.service_user, name="service_user"),
    path("service-users/<str:name>/change/", service_users.change, name="change_service_user"),
    path("service-users/<str:name>/suspend/", stop.suspend_bot, name="suspend"),
    path("service-users/<str:name>/lift/", service_users.lift, name="lift"),
    path("service-users/<str:name>/remove/", service_users.remove, name="remove"),
    path("service-users/<str:name>/rotate/", keys.rotate, name="rotate_key"),
    path("service-users/<str:name>/sockets/<int:number>/close/", sockets.close, name="close_socket"),
    path("service-users/<str:name>/keys/<int:number>/refused/", refused_calls.refused_calls, name="refused_calls"),
    path("service-users/<str:name>/keys/<str:public>/end/", stop.end_overlap, name="end_overlap"),
    path("service-users/<str:name>/keys/<str:public>/pause/", stop.pause, name="pause"),
    path("service-users/<str:name>/keys/<str:public>/lift/", lift.lift_pause, name="lift_pause"),
    path("service-users/<str:name>/keys/<str:public>/reveal/", keys.reveal, name="reveal"),
    path("service-users/<str:name>/keys/<str:public>/revoke/", stop.revoke, name="revoke"),
]
