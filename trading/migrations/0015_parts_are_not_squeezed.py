from django.db import migrations


def leave_as_they_are(_apps, editor):
    """PostgreSQL would try to make each part smaller, and take longer for that than for all the rest of a file."""
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE trading_exportpart ALTER COLUMN data SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("trading", "0014_make_ledgers_anew")]

    operations = [migrations.RunPython(leave_as_they_are, migrations.RunPython.noop)]
