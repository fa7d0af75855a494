from trading.models.alert import AlertRule, AlertState
from trading.models.batch import Batch, BatchLine
from trading.models.contract_preference import ContractPreference
from trading.models.deadman import DeadMan
from trading.models.equity import EquityPoint
from trading.models.export import Export, ExportFormat, ExportPart, ExportState
from trading.models.fill import Fill
from trading.models.halt import Halt
from trading.models.history import HistoryEvent, LogEntry, PositionEvent
from trading.models.index_price import IndexPrice
from trading.models.instrument import Favourite, Listing
from trading.models.journal_note import JournalNote
from trading.models.ledger import LedgerEntry, LedgerSum, WalletLedger
from trading.models.log_file import LogFile, LogFileLine
from trading.models.order import NEXT, Order, OrderStatus
from trading.models.position import Position
from trading.models.saved_view import SavedView
from trading.models.sync import Sync
from trading.models.workspace import Workspace

__all__ = [
    "NEXT",
    "AlertRule",
    "AlertState",
    "Batch",
    "BatchLine",
    "ContractPreference",
    "DeadMan",
    "EquityPoint",
    "Export",
    "ExportFormat",
    "ExportPart",
    "ExportState",
    "Favourite",
    "Fill",
    "Halt",
    "HistoryEvent",
    "IndexPrice",
    "JournalNote",
    "LedgerEntry",
    "LedgerSum",
    "Listing",
    "LogEntry",
    "LogFile",
    "LogFileLine",
    "Order",
    "OrderStatus",
    "Position",
    "PositionEvent",
    "SavedView",
    "Sync",
    "WalletLedger",
    "Workspace",
]
