"""The container that CI and the dev container make in an emulator is the one that the app needs."""

import pytest
from azure.cosmos import CosmosClient

from tests.support.node_packages import vercel_cosmosdb_server
from tests.support.servers import emulator_key
from tools.create_container import create


# The SDK takes any certificate from loopback, and urllib3 says so.
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_container_is_created_once_and_partitioned_by_isolation_key() -> None:
    with vercel_cosmosdb_server() as endpoint:
        for _ in range(2):
            create(endpoint, emulator_key(), "a-database", "a-container")
        with CosmosClient(endpoint, emulator_key()) as client:
            database = client.get_database_client("a-database")
            (container,) = database.list_containers()

    assert container["id"] == "a-container"
    assert container["partitionKey"] == {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}
