from django.db import migrations


def forget_what_is_derived(apps, _editor):
    """The next reading of each account, within two minutes, makes its ledger anew, and now with its sums."""
    apps.get_model("trading", "Sync").objects.filter(stream="ledger").update(cursor="", rows=0)


class Migration(migrations.Migration):
    dependencies = [("trading", "0013_ledger_sums")]

    operations = [migrations.RunPython(forget_what_is_derived, migrations.RunPython.noop)]
