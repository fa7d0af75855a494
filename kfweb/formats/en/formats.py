"""How dates look where no template says it: as everywhere on the desk, with their zone."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s e"
DATETIME_FORMAT = "Y-m-d H:i:s e"
