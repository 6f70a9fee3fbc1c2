// duckdb.js SQL... - runs the statements in DuckDB, in memory, on two threads; prints the rows of the
// last one. DuckDB is not in Debian: NODE_PATH names a folder in which npm put @duckdb/node-api.
const { DuckDBInstance } = require("@duckdb/node-api");

async function main(statements) {
	const db = await DuckDBInstance.create(":memory:", { threads: "2" });
	const connection = await db.connect();
	let result;
	for (const sql of statements) result = await connection.runAndReadAll(sql);
	for (const row of result.getRows()) console.log(row.join("\t"));
}

main(process.argv.slice(2)).catch((e) => {
	console.error(`duckdb.js: ${e.message}`);
	process.exit(1);
});
