import java.nio.file.Path;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * Neo4j Community behind its own Bolt server, with passwords asked for: the same database, Cypher and protocol as the packaged server, which Maven Central
 * does not have. Arguments: the folder, the port, the password of the user neo4j.
 */
public class Neo4jServer {
  public static void main(String[] arguments) {
    var service = new DatabaseManagementServiceBuilder(Path.of(arguments[0]))
        .setConfig(BoltConnector.enabled, true)
        .setConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", Integer.parseInt(arguments[1])))
        .setConfig(GraphDatabaseSettings.auth_enabled, true)
        .build();
    Runtime.getRuntime().addShutdownHook(new Thread(service::shutdown));
    try (var transaction = service.database(GraphDatabaseSettings.SYSTEM_DATABASE_NAME).beginTx()) {
      transaction.execute("ALTER USER neo4j SET PASSWORD '" + arguments[2] + "' CHANGE NOT REQUIRED").close();
      transaction.commit();
    }
    System.out.println("serves");
  }
}
