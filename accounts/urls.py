"""Signing in, members and Service Users."""

from django.urls import path

from accounts.views import enrolment, keys, members, security, service_users, sign_in

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
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("switch/", sign_in.switch, name="switch"),
    path("members/", members.members, name="members"),
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
