"""Creates the database and the container in Microsoft's emulator, which the app itself never does.

    python -m tools.create_container     the settings of local.settings.json

The CI workflow and the dev container call it. In Azure `infra/modules/cosmos.bicep` does this.
"""

import json
import time
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.cosmos import CosmosClient, PartitionKey

SETTINGS = Path(__file__).parent.parent / "local.settings.json"
# An emulator that is just being started refuses connections, or answers 503.
ATTEMPTS = 60
PAUSE_SECONDS = 2


def create(endpoint: str, key: str, database: str, container: str) -> None:
    """Create what is missing of the two. Raises AzureError."""
    with CosmosClient(endpoint, key) as client:
        client.create_database_if_not_exists(database).create_container_if_not_exists(
            container, PartitionKey("/isolation_key", version=2)
        )


def main() -> None:
    """Try until the emulator is up."""
    values = json.loads(SETTINGS.read_text("utf-8"))["Values"]
    names = ("COSMOS_ENDPOINT", "COSMOS_KEY", "COSMOS_DATABASE", "COSMOS_CONTAINER")
    endpoint, key, database, container = (values[name] for name in names)
    for _ in range(ATTEMPTS):
        try:
            return create(endpoint, key, database, container)
        except AzureError:
            time.sleep(PAUSE_SECONDS)
    # The last attempt says what is wrong.
    return create(endpoint, key, database, container)


if __name__ == "__main__":
    main()
