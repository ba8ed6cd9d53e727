from django.apps import AppConfig


class UpgradedConfig(AppConfig):
    name = "tests.database.upgraded"
    label = "upgraded"
    default_auto_field = "django.db.models.BigAutoField"
