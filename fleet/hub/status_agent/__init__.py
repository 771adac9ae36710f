"""The stand-in of ocm-status-addon: one asyncio process that returns the status of many WECs as WorkStatus objects."""
