"""The Member whom the address of a page names."""

from django.shortcuts import get_object_or_404

from accounts.models import Member
from portal.core.web.http import MemberRequest


def member_of(request: MemberRequest, number: int) -> Member:
    """The Organization's Member of that number, also a removed one; another Organization's is a 404."""
    members = Member.objects.select_related("user", "organization", "suspended_by__user", "invited_by__user")
    return get_object_or_404(members, organization=request.organization, pk=number)
