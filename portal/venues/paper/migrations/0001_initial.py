import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("deposit", "Deposit"),
                            ("withdrawal", "Withdrawal"),
                            ("trade", "Trade"),
                            ("transfer", "Transfer"),
                            ("staking", "Staking"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "subkind",
                    models.CharField(
                        blank=True,
                        choices=[("spottostaking", "To Earn"), ("stakingtospot", "From Earn")],
                        max_length=20,
                    ),
                ),
                ("reference", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
                ("sealed", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name_plural": "entries",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "reference"), name="entry_once_per_reference"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["deposit", "withdrawal", "trade", "transfer", "staking"])),
                        name="entry_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("subkind", ""),
                            models.Q(("kind", "transfer"), ("subkind__in", ["spottostaking", "stakingtospot"])),
                            _connector="OR",
                        ),
                        name="entry_subkind_of_transfer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=4)),
                ("report", models.CharField(max_length=8)),
                ("format", models.CharField(max_length=3)),
                ("description", models.CharField(blank=True, max_length=255)),
                ("fields", models.JSONField(default=list)),
                ("since", models.DateTimeField(null=True)),
                ("before", models.DateTimeField()),
                ("status", models.CharField(default="Queued", max_length=10)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "service_user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.serviceuser",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["service_user", "-created_at", "-id"], name="export_by_service_user"),
                    models.Index(
                        condition=models.Q(("status", "Processed"), _negated=True),
                        fields=["created_at"],
                        name="export_to_be_made",
                    ),
                    models.Index(fields=["expires_at"], name="export_expiry"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("service_user", "code"), name="export_code_once_per_service_user"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("format__in", ["CSV", "TSV"]),
                            ("report__in", ["trades", "ledgers"]),
                            ("status__in", ["Queued", "Processing", "Processed"]),
                        ),
                        name="export_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("completed_at__isnull", False), ("status", "Processed")),
                            models.Q(models.Q(("status", "Processed"), _negated=True), ("completed_at", None)),
                            _connector="OR",
                        ),
                        name="export_completed_when_processed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))), name="export_expires_after_made"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Holding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("strategy", models.CharField(max_length=24)),
                ("paid_until", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "due_at"], name="holding_due_of_account"),
                    models.Index(fields=["due_at"], name="holding_due"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "strategy"), name="holding_one_per_account_and_strategy")
                ],
            },
        ),
        migrations.CreateModel(
            name="Move",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("operation", models.CharField(max_length=12)),
                ("units", models.BigIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("done_at", models.DateTimeField()),
                ("counts_at", models.DateTimeField()),
                (
                    "holding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="paper.holding"
                    ),
                ),
                (
                    "returned",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earn_returned",
                        to="paper.entry",
                    ),
                ),
                (
                    "taken",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earn_taken",
                        to="paper.entry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("operation", "allocate"), ("returned", None), ("taken__isnull", False)),
                            models.Q(("operation", "deallocate"), ("taken", None)),
                            _connector="OR",
                        ),
                        name="move_taken_or_returned",
                    ),
                    models.CheckConstraint(condition=models.Q(("units__gt", 0)), name="move_units_above_zero"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("asked_at__lte", models.F("done_at")), ("done_at__lte", models.F("counts_at"))
                        ),
                        name="move_times_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("txid", models.CharField(max_length=20, unique=True)),
                ("pair", models.CharField(max_length=16)),
                ("side", models.CharField(max_length=4)),
                ("kind", models.CharField(max_length=8)),
                ("status", models.CharField(default="open", max_length=8)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("time_in_force", models.CharField(max_length=3)),
                ("is_post_only", models.BooleanField(default=False)),
                ("userref", models.IntegerField(null=True)),
                ("cl_ord_id", models.CharField(max_length=36, null=True)),
                ("opened_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("price_units", models.BigIntegerField(null=True)),
                ("volume_units", models.BigIntegerField()),
                ("filled_units", models.BigIntegerField(default=0)),
                ("cost_units", models.BigIntegerField(default=0)),
                ("fee_units", models.BigIntegerField(default=0)),
                ("held_units", models.BigIntegerField(default=0)),
                ("maker_rate", models.PositiveIntegerField()),
                ("path", models.CharField(blank=True, max_length=100)),
                ("looked_step", models.BigIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-opened_at", "-id"], name="order_by_account"),
                    models.Index(fields=["account", "-closed_at", "-id"], name="order_closed_by_account"),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["account", "due_at"],
                        name="order_due_of_account",
                    ),
                    models.Index(condition=models.Q(("status", "open")), fields=["path", "due_at"], name="order_due"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["market", "limit"]),
                            ("side__in", ["buy", "sell"]),
                            ("status__in", ["open", "closed", "canceled", "expired"]),
                            ("time_in_force__in", ["GTC", "IOC", "GTD"]),
                        ),
                        name="order_words_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("due_at__isnull", False), ("status", "open")),
                            models.Q(
                                models.Q(("status", "open"), _negated=True),
                                ("closed_at__isnull", False),
                                ("due_at", None),
                                ("held_units", 0),
                            ),
                            _connector="OR",
                        ),
                        name="order_open_or_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("filled_units__gte", 0),
                            ("filled_units__lte", models.F("volume_units")),
                            ("volume_units__gt", 0),
                        ),
                        name="order_filled_within_volume",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cost_units__gte", 0), ("fee_units__gte", 0), ("held_units__gte", 0)),
                        name="order_amounts_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "market"), ("price_units", None)),
                            models.Q(("kind", "limit"), ("price_units__gt", 0), ("price_units__isnull", False)),
                            _connector="OR",
                        ),
                        name="order_limit_has_price",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at__isnull", False), ("time_in_force", "GTD")),
                            models.Q(models.Q(("time_in_force", "GTD"), _negated=True), ("expires_at", None)),
                            _connector="OR",
                        ),
                        name="order_expires_when_gtd",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("userref", None), ("cl_ord_id", None), _connector="OR"),
                        name="order_userref_or_client_id",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("account", "cl_ord_id"),
                        name="order_client_id_once_while_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Piece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="paper.export",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("export", "number"), name="export_piece_once")],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "book",
                    models.CharField(
                        choices=[
                            ("account", "Account"),
                            ("outside", "Outside world"),
                            ("fees", "Fees"),
                            ("market", "Market"),
                            ("earn", "Earn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("asset", models.CharField(max_length=16)),
                ("units", models.BigIntegerField()),
                ("fee_units", models.BigIntegerField(default=0)),
                ("at", models.DateTimeField()),
                ("ledger_id", models.CharField(max_length=20, null=True, unique=True)),
                ("balance_units", models.BigIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="paper.entry"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-at", "-id"], name="posting_by_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("book__in", ["account", "outside", "fees", "market", "earn"])),
                        name="posting_book_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("account__isnull", False),
                                ("balance_units__isnull", False),
                                ("book", "account"),
                                ("ledger_id__isnull", False),
                            ),
                            models.Q(
                                models.Q(("book", "account"), _negated=True),
                                ("account", None),
                                ("balance_units", None),
                                ("ledger_id", None),
                            ),
                            _connector="OR",
                        ),
                        name="posting_account_leg_complete",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("units", 0), _negated=True), name="posting_moves_something"
                    ),
                    models.CheckConstraint(condition=models.Q(("fee_units__gte", 0)), name="posting_fee_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("balance_units", None), ("balance_units__gte", 0), _connector="OR"),
                        name="posting_balance_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("units", models.BigIntegerField()),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reward", to="paper.entry"
                    ),
                ),
                (
                    "holding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rewards", to="paper.holding"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("holding", "at"), name="reward_once_per_payout"),
                    models.CheckConstraint(condition=models.Q(("units__gt", 0)), name="reward_above_zero"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Trade",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("txid", models.CharField(max_length=20, unique=True)),
                ("at", models.DateTimeField()),
                ("price_units", models.BigIntegerField()),
                ("volume_units", models.BigIntegerField()),
                ("cost_units", models.BigIntegerField()),
                ("fee_units", models.BigIntegerField()),
                ("value_units", models.BigIntegerField()),
                ("is_maker", models.BooleanField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trade", to="paper.entry"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trades", to="paper.order"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-at", "-id"], name="trade_by_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cost_units__gte", 0),
                            ("fee_units__gte", 0),
                            ("price_units__gt", 0),
                            ("volume_units__gt", 0),
                        ),
                        name="trade_amounts_sensible",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TradedDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField()),
                ("value_units", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "on"), name="traded_day_once_per_account")],
            },
        ),
        migrations.CreateModel(
            name="TradingCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pair", models.CharField(max_length=16)),
                ("thousandths", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "pair"), name="trading_counter_one_per_account_and_pair")
                ],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("asset", models.CharField(max_length=16)),
                ("amount_units", models.BigIntegerField()),
                ("fee_units", models.BigIntegerField()),
                ("key", models.CharField(max_length=64)),
                ("address", models.CharField(max_length=200)),
                ("method", models.CharField(max_length=40)),
                ("network", models.CharField(max_length=40)),
                ("memo", models.CharField(blank=True, max_length=100)),
                ("held_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                ("cancel_denied", models.BooleanField(default=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="paper.entry",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="paper_withdrawal_by_account")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_units__gt", models.F("fee_units")), ("fee_units__gte", 0)),
                        name="paper_withdrawal_amount_above_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sent_at", None), ("released_at", None), _connector="OR"),
                        name="paper_withdrawal_sent_or_released",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("entry", None), ("sent_at", None)),
                            models.Q(("entry__isnull", False), ("sent_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="paper_withdrawal_booked_when_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asset", models.CharField(max_length=16)),
                ("units", models.BigIntegerField(default=0)),
                ("held_by_orders_units", models.BigIntegerField(default=0)),
                ("held_by_withdrawals_units", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "asset"), name="balance_one_per_account_and_asset"),
                    models.CheckConstraint(condition=models.Q(("units__gte", 0)), name="balance_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("held_by_orders_units__gte", 0), ("held_by_withdrawals_units__gte", 0)),
                        name="balance_holds_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "units__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("held_by_orders_units"), "+", models.F("held_by_withdrawals_units")
                                ),
                            )
                        ),
                        name="balance_covers_its_holds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DepositAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asset", models.CharField(max_length=16)),
                ("method", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("address", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deposit addresses",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "asset", "method", "number"), name="deposit_address_numbered_once"
                    ),
                    models.UniqueConstraint(
                        fields=("address", "asset", "method"), name="deposit_address_of_one_account"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Deposit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("asset", models.CharField(max_length=16)),
                ("amount_units", models.BigIntegerField()),
                ("method", models.CharField(max_length=40)),
                ("network", models.CharField(max_length=40)),
                ("address", models.CharField(blank=True, max_length=100)),
                ("sent_at", models.DateTimeField()),
                ("credit_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="deposit", to="paper.entry"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "-id"], name="deposit_by_account"),
                    models.Index(
                        condition=models.Q(("entry", None)),
                        fields=["account", "credit_at"],
                        name="deposit_due_of_account",
                    ),
                    models.Index(condition=models.Q(("entry", None)), fields=["credit_at"], name="deposit_due"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_units__gt", 0)), name="deposit_amount_above_zero"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("credit_at__gte", models.F("sent_at"))), name="deposit_credited_after_sent"
                    ),
                ],
            },
        ),
    ]
