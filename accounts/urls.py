"""Signing in, members and Service Users."""

from django.urls import path

from accounts.views import keys, members, service_users, sign_in

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.verify, name="verify"),
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
