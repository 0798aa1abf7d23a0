// Two orders and one look at them with Node's own fetch; the second order's body is a stream, which comes in chunks.
const [base, order] = process.argv.slice(2);
const headers = { "Content-Type": "application/json" };
const bodies = [order, new Blob([order]).stream()];
for (const body of bodies) {
  const answer = await fetch(`${base}/orders`, { method: "POST", headers, body, duplex: "half" });
  console.log(answer.status);
}
const answer = await fetch(`${base}/orders`);
await answer.text();
console.log(answer.status);
