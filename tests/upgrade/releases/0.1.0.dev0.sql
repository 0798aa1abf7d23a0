
PRAGMA page_size=4096;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS act;
CREATE TABLE act (
  no      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;
INSERT INTO act VALUES(1,1785585662936,'ada','cancelled it','01a213e4-a911-7bae-8ee9-c6cec5c4bc91','');
CREATE INDEX act_subject ON act (subject);

DROP TABLE IF EXISTS claim;
CREATE TABLE claim (
  no          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL
) STRICT;
INSERT INTO claim VALUES(1,'01a213e4-a7a7-7a29-b27a-aa49c5dbc91d','52240721d0f89910f8dc317d9154e0ae2b35881ddf18f3da01eaadac527805d0');
INSERT INTO claim VALUES(2,'01a213e4-a855-7e52-aba3-e801bbf89921','f61799a0a3f1c57a09b53fda2a621f755f9b8895ca3e537a279a00c522108c9f');
INSERT INTO claim VALUES(3,'01a213e4-a8a3-71bd-a431-a09f42d47988','40ae9a48683d9a46138c8625bf275066865264c72bdc4c316e4553eaa0594b9b');
INSERT INTO claim VALUES(4,'child:01a213e4-a8a3-71bd-a431-a09f42d47988-1','e33590e412345544be013271bd57a8fefbe9da4758ebe6de21ccf344e5c51865');
INSERT INTO claim VALUES(5,'01a213e4-a911-7d1b-97a8-81991ae90425','1c6a2eef9f0763960601e536419fa119367fdbdc50e2c9c730cb4ef40ee23e64');
INSERT INTO claim VALUES(6,'01a213e4-a911-7839-ac06-08b81e77d116','f82404825f3dbf688f34d20c85fed9037b5167b94a5c2a97034f8b75ccf10271');
INSERT INTO claim VALUES(7,'01a213e4-a911-7bae-8ee9-c6cec5c4bc91','677c32606f5041addac2b87d9cf84b61397290f954ca24d2db5d17d803f2e594');
INSERT INTO claim VALUES(8,'01a213e4-a911-75a9-8766-c21ae01af3f3','fd95c2d76a2e8741ce5ecf72f5f01c45fd52383fea0777f160f8f2124747aed6');
INSERT INTO claim VALUES(9,'01a213e4-a911-7f29-8d3f-c128b04f3383','e77fa883c0914c9edca8a33cff598fe61e68ecb34fc9ebc40398cecebdaf7fcc');
INSERT INTO claim VALUES(10,'01a213e4-aa07-78aa-bffd-eb95b75a450c','88a1fd411239d29143d643a736bbf93cb373c2176dc49bc1e948f21b410a7416');
INSERT INTO claim VALUES(11,'01a213e4-aa2f-7c45-a730-725d4ac85d44','699cc35bfe42fb29b2c7e56d8a3358514880a5f80639443e68c6488306594411');
INSERT INTO claim VALUES(12,'01a213e4-aa38-7fe8-8990-6c287bd3ea4c','522fa9ad64cf1222ede5925143de4da5212dece8e7ec3ffb3dba7076154e05d8');
INSERT INTO claim VALUES(13,'01a213e4-aa3b-7ed7-b4bc-e01efa698ef9','a9881dae02c7323789d3a1b552e28af90b8e55c07f17e578f64806ee1c577d06');

DROP TABLE IF EXISTS dead_letter;
CREATE TABLE dead_letter (
  no            INTEGER PRIMARY KEY,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  died_at       INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  deliveries    INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT;
INSERT INTO dead_letter VALUES(9,'01a213e4-a9bf-7658-9f44-2402beb5428d',X'6E6F6E73656E7365','{"order_id":"01a213e4-a9bf-7658-9f44-2402beb5428d"}',1785585662936,1785585666936,3,3,'OrderInvalid: The order cannot be accepted as it is: the message is no JSON: JSON is malformed: invalid character (byte 4).');
CREATE INDEX dead_letter_order ON dead_letter (order_id) WHERE order_id IS NOT NULL;

DROP TABLE IF EXISTS definition;
CREATE TABLE definition (
  no         INTEGER PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  body       TEXT NOT NULL,
  first_used INTEGER NOT NULL
) STRICT;
INSERT INTO definition VALUES(1,'2fcd2fdb5d3530dae636ca4430bd77e8df0cf4d6a12af3942f15a9ffc87aed54','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585600000);
INSERT INTO definition VALUES(2,'76bdb0d17f88675d84911a83750a375e529fe75c8eb30bab312a0f64093dc9da','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"SendOrderToRestaurant","Payload":{"order.$":"$.order","task_token.$":"$$.Task.Token"}},"ResultPath":"$.restaurant","Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585631936);
INSERT INTO definition VALUES(3,'0e41d3888dd52e5de199d16a163861c4f4a9fcfcc8c4b70b0799e558e4ae5701','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"Call","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."},"Call":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"child","Input":{"wait":3600}},"ResultPath":null,"Next":"InitializeOrder"}}}',1785585662936);
INSERT INTO definition VALUES(4,'385269be7025277ce802e411757fa9378340bb38b9642bb0e4ae6e4299739169','{"StartAt":"Sit","States":{"Sit":{"Type":"Wait","SecondsPath":"$.wait","End":true}}}',1785585662936);
INSERT INTO definition VALUES(5,'bbfb005b65e2913e1da70982fbe035b7e09ed3ebe5852b159dea05eb8d0f16ed','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585662936);

DROP TABLE IF EXISTS execution;
CREATE TABLE execution (
  no         INTEGER PRIMARY KEY REFERENCES claim (no),
  definition INTEGER NOT NULL REFERENCES definition (no),
  status     TEXT NOT NULL,
  due_at     INTEGER,
  busy       INTEGER NOT NULL,
  state      TEXT NOT NULL,
  history    TEXT NOT NULL
) STRICT;
INSERT INTO execution VALUES(1,1,'FAILED',NULL,0,'{"status":"FAILED","frames":{"0":{"last":44}},"events":44,"numbers":9,"started_at":1785585600000,"context":{"Execution":{"Id":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d","Name":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d"},"StateMachine":{"Id":"orders","Name":"orders"}},"error":"OrderNeedsOperator","cause":"A step of the order failed beyond its retries; its timeline says which and why."}','{"type":"Started","at":1785585600000,"seed":8626238379753951496,"input":{"order":{"id":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d","user_id":"needs an operator","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"a@example.com","created_at":1785585600000},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d","Name":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585600000,"seed":2136897573344730499,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585600000,"seed":4017012556031384775,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585630000,"seed":2024839566981422224,"timer":3}
{"type":"TaskSucceeded","at":1785585630000,"seed":6391290033233807460,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585630000,"seed":3084435919011144973,"task":5,"output":{"status":"error","error_message":"The restaurant is closed."}}
{"type":"TaskSucceeded","at":1785585630000,"seed":7019114277609779436,"task":6,"output":{"status":"ok"}}
{"type":"TaskFailed","at":1785585630000,"seed":5242724033425343101,"task":7,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585631936,"seed":6781431501719617586,"timer":8}
{"type":"TaskFailed","at":1785585631936,"seed":5620790099105787839,"task":9,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
');
INSERT INTO execution VALUES(2,2,'RUNNING',253402300800000,0,'{"status":"RUNNING","frames":{"0":{"state":"SendOrderToRestaurant","input":{"order":{"id":"01a213e4-a855-7e52-aba3-e801bbf89921","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631936},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false}},"entered":23,"entered_at":1785585661936,"last":25,"task":5,"seed":4126504090727423288}},"events":25,"numbers":5,"started_at":1785585631936,"context":{"Execution":{"Id":"01a213e4-a855-7e52-aba3-e801bbf89921","Name":"01a213e4-a855-7e52-aba3-e801bbf89921"},"StateMachine":{"Id":"orders","Name":"orders"}},"input":{"order":{"id":"01a213e4-a855-7e52-aba3-e801bbf89921","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631936},"hold_seconds":30}}','{"type":"Started","at":1785585631936,"seed":5349344891422141456,"input":{"order":{"id":"01a213e4-a855-7e52-aba3-e801bbf89921","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a855-7e52-aba3-e801bbf89921","Name":"01a213e4-a855-7e52-aba3-e801bbf89921"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585631936,"seed":6991600271737948574,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585631936,"seed":815027234813738973,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585661936,"seed":8476929519348021681,"timer":3}
{"type":"TaskSucceeded","at":1785585661936,"seed":4126504090727423288,"task":4,"output":{"cancelled":false}}
');
INSERT INTO execution VALUES(3,3,'RUNNING',253402300800000,0,'{"status":"RUNNING","frames":{"0":{"state":"Call","input":{"order":{"id":"01a213e4-a8a3-71bd-a431-a09f42d47988","user_id":"waits for a nested execution","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":null,"created_at":1785585662936},"hold_seconds":30},"entered":2,"entered_at":1785585662936,"last":4,"task":1,"seed":1304203461305939863}},"events":4,"numbers":1,"started_at":1785585662936,"context":{"Execution":{"Id":"01a213e4-a8a3-71bd-a431-a09f42d47988","Name":"01a213e4-a8a3-71bd-a431-a09f42d47988"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585662936,"seed":1304203461305939863,"input":{"order":{"id":"01a213e4-a8a3-71bd-a431-a09f42d47988","user_id":"waits for a nested execution","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":null,"created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a8a3-71bd-a431-a09f42d47988","Name":"01a213e4-a8a3-71bd-a431-a09f42d47988"},"StateMachine":{"Id":"orders","Name":"orders"}}}
');
INSERT INTO execution VALUES(4,4,'RUNNING',1785589262936,0,'{"status":"RUNNING","frames":{"0":{"state":"Sit","input":{"wait":3600},"entered":2,"entered_at":1785585662936,"last":2,"timer":1,"due":1785589262936}},"events":2,"numbers":1,"started_at":1785585662936,"context":{"Execution":{"Id":"child:01a213e4-a8a3-71bd-a431-a09f42d47988-1","Name":"01a213e4-a8a3-71bd-a431-a09f42d47988-1"},"StateMachine":{"Id":"child","Name":"child"}}}','{"type":"Started","at":1785585662936,"seed":8357391303383309776,"input":{"wait":3600},"context":{"Execution":{"Id":"child:01a213e4-a8a3-71bd-a431-a09f42d47988-1","Name":"01a213e4-a8a3-71bd-a431-a09f42d47988-1"},"StateMachine":{"Id":"child","Name":"child"}}}
');
INSERT INTO execution VALUES(5,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":35,"started_at":1785585662936,"output":{"order":{"id":"01a213e4-a911-7d1b-97a8-81991ae90425","user_id":"succeeded","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"ok"}}}','{"type":"Started","at":1785585662936,"seed":8234521065954424727,"input":{"order":{"id":"01a213e4-a911-7d1b-97a8-81991ae90425","user_id":"succeeded","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a911-7d1b-97a8-81991ae90425","Name":"01a213e4-a911-7d1b-97a8-81991ae90425"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662936,"seed":7429339053800853839,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662936,"seed":185362993223570461,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692936,"seed":8639216294065540917,"timer":3}
{"type":"TaskSucceeded","at":1785585692936,"seed":5356916719837230341,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692936,"seed":8436093984352308933,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692936,"seed":5103616568597659457,"task":6,"output":{"status":"SUCCESS"}}
');
INSERT INTO execution VALUES(6,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":19,"started_at":1785585662936,"output":{"order":{"id":"01a213e4-a911-7839-ac06-08b81e77d116","user_id":"declined","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30,"payment":{"status":"error","error_message":"The card was declined."}}}','{"type":"Started","at":1785585662936,"seed":6292806813707695080,"input":{"order":{"id":"01a213e4-a911-7839-ac06-08b81e77d116","user_id":"declined","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a911-7839-ac06-08b81e77d116","Name":"01a213e4-a911-7839-ac06-08b81e77d116"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662936,"seed":7823326287015445708,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662936,"seed":2067767656150580655,"task":2,"output":{"status":"error","error_message":"The card was declined."}}
{"type":"TaskSucceeded","at":1785585662936,"seed":3052038136816788197,"task":3,"output":{"status":"FAILED"}}
');
INSERT INTO execution VALUES(7,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":38,"started_at":1785585662936,"output":{"order":{"id":"01a213e4-a911-7bae-8ee9-c6cec5c4bc91","user_id":"cancelled","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":true}}}','{"type":"Started","at":1785585662936,"seed":3845811577560458830,"input":{"order":{"id":"01a213e4-a911-7bae-8ee9-c6cec5c4bc91","user_id":"cancelled","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a911-7bae-8ee9-c6cec5c4bc91","Name":"01a213e4-a911-7bae-8ee9-c6cec5c4bc91"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662936,"seed":947373079629264604,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662936,"seed":6393812072905981755,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692936,"seed":4547982799924055539,"timer":3}
{"type":"TaskSucceeded","at":1785585692936,"seed":2186400324508031399,"task":4,"output":{"cancelled":true}}
{"type":"TaskSucceeded","at":1785585692936,"seed":4440190972489716700,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692936,"seed":8831169681606618260,"task":6,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692936,"seed":8223607669631422861,"task":7,"output":{"status":"CANCELLED"}}
');
INSERT INTO execution VALUES(8,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":35,"started_at":1785585662936,"output":{"order":{"id":"01a213e4-a911-75a9-8766-c21ae01af3f3","user_id":"deleted","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"ok"}}}','{"type":"Started","at":1785585662936,"seed":7738610609452325699,"input":{"order":{"id":"01a213e4-a911-75a9-8766-c21ae01af3f3","user_id":"deleted","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a911-75a9-8766-c21ae01af3f3","Name":"01a213e4-a911-75a9-8766-c21ae01af3f3"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662936,"seed":532640221982207944,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662936,"seed":4097487674961274176,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692936,"seed":8643198800149388380,"timer":3}
{"type":"TaskSucceeded","at":1785585692936,"seed":4158126404668596692,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692936,"seed":1430218447556601475,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692936,"seed":9029767478961245049,"task":6,"output":{"status":"SUCCESS"}}
');
INSERT INTO execution VALUES(9,5,'RUNNING',1785585703648,0,'{"status":"RUNNING","frames":{"0":{"state":"RefundPayment","input":{"order":{"id":"01a213e4-a911-7f29-8d3f-c128b04f3383","user_id":"refund pending","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"error","error_message":"The restaurant is closed."}},"entered":35,"entered_at":1785585692936,"last":47,"seed":245540325762623810,"timer":14,"due":1785585703648,"attempt":4,"retries":[4]}},"events":47,"numbers":14,"started_at":1785585662936,"context":{"Execution":{"Id":"01a213e4-a911-7f29-8d3f-c128b04f3383","Name":"01a213e4-a911-7f29-8d3f-c128b04f3383"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585662936,"seed":6790575252071851376,"input":{"order":{"id":"01a213e4-a911-7f29-8d3f-c128b04f3383","user_id":"refund pending","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-a911-7f29-8d3f-c128b04f3383","Name":"01a213e4-a911-7f29-8d3f-c128b04f3383"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662936,"seed":7625567575026482747,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662936,"seed":3186656419683275466,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692936,"seed":4590775762944671508,"timer":3}
{"type":"TaskSucceeded","at":1785585692936,"seed":7229973566617358825,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692936,"seed":5421031908151931145,"task":5,"output":{"status":"error","error_message":"The restaurant is closed."}}
{"type":"TaskSucceeded","at":1785585692936,"seed":1923008247026230353,"task":6,"output":{"status":"ok"}}
{"type":"TaskFailed","at":1785585692936,"seed":4177507633371821613,"task":7,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585694067,"seed":8438978457223000427,"timer":8}
{"type":"TaskFailed","at":1785585694067,"seed":7034131593761079697,"task":9,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585696148,"seed":2283956829529115034,"timer":10}
{"type":"TaskFailed","at":1785585696148,"seed":8261506407679895548,"task":11,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585702777,"seed":245540325762623810,"timer":12}
{"type":"TaskFailed","at":1785585702777,"seed":1556675915294973421,"task":13,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
');
INSERT INTO execution VALUES(10,5,'RUNNING',1785585732936,0,'{"status":"RUNNING","frames":{"0":{"state":"Hold","input":{"order":{"id":"01a213e4-aa07-78aa-bffd-eb95b75a450c","user_id":"in its hold","restaurant_id":"Restaurant 4","name":"Ä","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702936},"hold_seconds":30,"payment":{"status":"ok"}},"entered":14,"entered_at":1785585702936,"last":14,"seed":2200357772980704872,"timer":3,"due":1785585732936}},"events":14,"numbers":3,"started_at":1785585702936,"context":{"Execution":{"Id":"01a213e4-aa07-78aa-bffd-eb95b75a450c","Name":"01a213e4-aa07-78aa-bffd-eb95b75a450c"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702936,"seed":3841355590836476262,"input":{"order":{"id":"01a213e4-aa07-78aa-bffd-eb95b75a450c","user_id":"in its hold","restaurant_id":"Restaurant 4","name":"Ä","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-aa07-78aa-bffd-eb95b75a450c","Name":"01a213e4-aa07-78aa-bffd-eb95b75a450c"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702936,"seed":2200357772980704872,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585702936,"seed":3794972448177447155,"task":2,"output":{"status":"ok"}}
');
INSERT INTO execution VALUES(11,5,'RUNNING',1785585732936,0,'{"status":"RUNNING","frames":{"0":{"state":"Hold","input":{"order":{"id":"01a213e4-aa2f-7c45-a730-725d4ac85d44","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702936},"hold_seconds":30,"payment":{"status":"ok"}},"entered":14,"entered_at":1785585702936,"last":14,"seed":5796035274180896814,"timer":3,"due":1785585732936}},"events":14,"numbers":3,"started_at":1785585702936,"context":{"Execution":{"Id":"01a213e4-aa2f-7c45-a730-725d4ac85d44","Name":"01a213e4-aa2f-7c45-a730-725d4ac85d44"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702936,"seed":3166973144053744337,"input":{"order":{"id":"01a213e4-aa2f-7c45-a730-725d4ac85d44","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-aa2f-7c45-a730-725d4ac85d44","Name":"01a213e4-aa2f-7c45-a730-725d4ac85d44"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702936,"seed":5796035274180896814,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585702936,"seed":4086951827178722131,"task":2,"output":{"status":"ok"}}
');
INSERT INTO execution VALUES(12,5,'RUNNING',253402300800000,1,'{"status":"RUNNING","frames":{"0":{"state":"ProcessPayment","input":{"order":{"id":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c","user_id":"call under way","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"e@example.com","created_at":1785585702936},"hold_seconds":30},"entered":7,"entered_at":1785585702936,"last":9,"task":2,"seed":6756996396420474277}},"events":9,"numbers":2,"started_at":1785585702936,"context":{"Execution":{"Id":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c","Name":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702936,"seed":8769356374135984799,"input":{"order":{"id":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c","user_id":"call under way","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"e@example.com","created_at":1785585702936},"hold_seconds":30},"context":{"Execution":{"Id":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c","Name":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702936,"seed":6756996396420474277,"task":1,"output":null}
');
CREATE INDEX execution_due ON execution (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX execution_failed ON execution (no) WHERE status IN ('FAILED', 'TIMED_OUT', 'ABORTED');

DROP TABLE IF EXISTS ledger;
CREATE TABLE ledger (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  kind      TEXT NOT NULL,
  key       TEXT NOT NULL,
  amount    INTEGER NOT NULL,
  currency  TEXT NOT NULL,
  at        INTEGER NOT NULL,
  reference TEXT,
  PRIMARY KEY (order_no, kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger VALUES(1,'charge','01a213e4-a7a7-7a29-b27a-aa49c5dbc91d/charge',3000,'USD',1785585600000,'ch_01a213e4-a7a7-7a29-b27a-aa49c5dbc91d/charge');
INSERT INTO ledger VALUES(2,'charge','01a213e4-a855-7e52-aba3-e801bbf89921/charge',3000,'USD',1785585631936,'ch_01a213e4-a855-7e52-aba3-e801bbf89921/charge');
INSERT INTO ledger VALUES(5,'charge','01a213e4-a911-7d1b-97a8-81991ae90425/charge',3000,'USD',1785585662936,'ch_01a213e4-a911-7d1b-97a8-81991ae90425/charge');
INSERT INTO ledger VALUES(7,'charge','01a213e4-a911-7bae-8ee9-c6cec5c4bc91/charge',3000,'USD',1785585662936,'ch_01a213e4-a911-7bae-8ee9-c6cec5c4bc91/charge');
INSERT INTO ledger VALUES(7,'refund','01a213e4-a911-7bae-8ee9-c6cec5c4bc91/refund',3000,'USD',1785585692936,'re_01a213e4-a911-7bae-8ee9-c6cec5c4bc91/refund');
INSERT INTO ledger VALUES(8,'charge','01a213e4-a911-75a9-8766-c21ae01af3f3/charge',3000,'USD',1785585662936,'ch_01a213e4-a911-75a9-8766-c21ae01af3f3/charge');
INSERT INTO ledger VALUES(9,'charge','01a213e4-a911-7f29-8d3f-c128b04f3383/charge',3000,'USD',1785585662936,'ch_01a213e4-a911-7f29-8d3f-c128b04f3383/charge');
INSERT INTO ledger VALUES(10,'charge','01a213e4-aa07-78aa-bffd-eb95b75a450c/charge',3000,'USD',1785585702936,'ch_01a213e4-aa07-78aa-bffd-eb95b75a450c/charge');
INSERT INTO ledger VALUES(11,'charge','01a213e4-aa2f-7c45-a730-725d4ac85d44/charge',3000,'USD',1785585702936,'ch_01a213e4-aa2f-7c45-a730-725d4ac85d44/charge');

DROP TABLE IF EXISTS mail;
CREATE TABLE mail (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  status    TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject   TEXT NOT NULL,
  text      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  tries     INTEGER NOT NULL DEFAULT 0,
  next_at   INTEGER,
  sent_at   INTEGER,
  problem   TEXT,
  PRIMARY KEY (order_no, status, recipient)
) STRICT, WITHOUT ROWID;
INSERT INTO mail VALUES(5,'SUCCESS','c@example.com','Orders-App: Update for order 01a213e4-a911-7d1b-97a8-81991ae90425','Your order is paid and with the restaurant.

Order:      01a213e4-a911-7d1b-97a8-81991ae90425
Restaurant: Restaurant 5
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(5,'SUCCESS','ops@example.com','Orders-App: Update for order 01a213e4-a911-7d1b-97a8-81991ae90425','Your order is paid and with the restaurant.

Order:      01a213e4-a911-7d1b-97a8-81991ae90425
Restaurant: Restaurant 5
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(6,'FAILED','c@example.com','Orders-App: Update for order 01a213e4-a911-7839-ac06-08b81e77d116','Your order could not be completed. Nothing is charged; what had been charged was given back.

Reason: The card was declined.

Order:      01a213e4-a911-7839-ac06-08b81e77d116
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585662936,3,1785585722936,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(6,'FAILED','ops@example.com','Orders-App: Update for order 01a213e4-a911-7839-ac06-08b81e77d116','Your order could not be completed. Nothing is charged; what had been charged was given back.

Reason: The card was declined.

Order:      01a213e4-a911-7839-ac06-08b81e77d116
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585662936,3,1785585722936,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(7,'CANCELLED','c@example.com','Orders-App: Update for order 01a213e4-a911-7bae-8ee9-c6cec5c4bc91','Your order is cancelled, as you asked. What had been charged was given back.

Reason: The customer cancelled the order.

Order:      01a213e4-a911-7bae-8ee9-c6cec5c4bc91
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(7,'CANCELLED','ops@example.com','Orders-App: Update for order 01a213e4-a911-7bae-8ee9-c6cec5c4bc91','Your order is cancelled, as you asked. What had been charged was given back.

Reason: The customer cancelled the order.

Order:      01a213e4-a911-7bae-8ee9-c6cec5c4bc91
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(8,'SUCCESS','c@example.com','Orders-App: Update for order 01a213e4-a911-75a9-8766-c21ae01af3f3','Your order is paid and with the restaurant.

Order:      01a213e4-a911-75a9-8766-c21ae01af3f3
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(8,'SUCCESS','ops@example.com','Orders-App: Update for order 01a213e4-a911-75a9-8766-c21ae01af3f3','Your order is paid and with the restaurant.

Order:      01a213e4-a911-75a9-8766-c21ae01af3f3
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692936,2,1785585712777,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
CREATE INDEX mail_next ON mail (next_at) WHERE next_at IS NOT NULL;

DROP TABLE IF EXISTS message;
CREATE TABLE message (
  no            INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  visible_at    INTEGER NOT NULL,
  receive_count INTEGER NOT NULL DEFAULT 0,
  deliveries    INTEGER NOT NULL DEFAULT 0,
  reason        TEXT
) STRICT;
INSERT INTO message VALUES(13,'01a213e4-aa3b-7ed7-b4bc-e01efa698ef9',X'7B22757365725F6964223A22717565756564222C2272657374617572616E745F6964223A2252657374617572616E742034222C227175616E74697479223A332C22656D61696C223A2266406578616D706C652E636F6D227D','{"order_id":"01a213e4-aa3b-7ed7-b4bc-e01efa698ef9"}',1785585702936,1785585702936,0,0,NULL);
CREATE INDEX message_order ON message (order_id) WHERE order_id IS NOT NULL;

DROP TABLE IF EXISTS minute;
CREATE TABLE minute (
  at   INTEGER PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
INSERT INTO minute VALUES(1785585600000,'{"at":1785585600000,"accepted":2,"running":1}');
INSERT INTO minute VALUES(1785585660000,'{"at":1785585660000,"accepted":1,"running":1}');

DROP TABLE IF EXISTS nested;
CREATE TABLE nested (
  child  INTEGER NOT NULL REFERENCES execution (no),
  parent INTEGER NOT NULL REFERENCES execution (no),
  task   INTEGER NOT NULL,
  parsed INTEGER NOT NULL,
  PRIMARY KEY (child, parent, task)
) STRICT, WITHOUT ROWID;
INSERT INTO nested VALUES(4,3,1,1);

DROP TABLE IF EXISTS orders;
CREATE TABLE orders (
  no            INTEGER PRIMARY KEY REFERENCES claim (no),
  user_id       TEXT NOT NULL,
  restaurant_id TEXT NOT NULL,
  status        TEXT NOT NULL,
  deleted       INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  body          TEXT NOT NULL
) STRICT;
INSERT INTO orders VALUES(1,'needs an operator','Restaurant 4','REFUND_PENDING',0,8,'{"id":"01a213e4-a7a7-7a29-b27a-aa49c5dbc91d","user_id":"needs an operator","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585600000,"updated_at":1785585630000,"name":"item","email":"a@example.com","status":"REFUND_PENDING","error_message":"The restaurant is closed.","cancel_requested_at":null,"hold_closed_at":1785585630000,"deleted_at":null,"effects":{"charge":{"tried_at":1785585600000,"result":"done","reference":"ch_01a213e4-a7a7-7a29-b27a-aa49c5dbc91d/charge","attempt":1},"restaurant":{"tried_at":1785585630000,"result":"refused","reference":null,"attempt":1},"refund":{"tried_at":1785585630000,"result":"unknown","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(2,'waits for a token','Restaurant 4','PAID',0,6,'{"id":"01a213e4-a855-7e52-aba3-e801bbf89921","user_id":"waits for a token","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585631936,"updated_at":1785585661936,"name":"item","email":"b@example.com","status":"PAID","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585661936,"deleted_at":null,"effects":{"charge":{"tried_at":1785585631936,"result":"done","reference":"ch_01a213e4-a855-7e52-aba3-e801bbf89921/charge","attempt":1},"restaurant":{"tried_at":1785585661936,"result":"done","reference":null,"attempt":1}},"version":6}');
INSERT INTO orders VALUES(5,'succeeded','Restaurant 5','SUCCESS',0,8,'{"id":"01a213e4-a911-7d1b-97a8-81991ae90425","user_id":"succeeded","restaurant_id":"Restaurant 5","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662936,"updated_at":1785585692936,"name":"item","email":"c@example.com","status":"SUCCESS","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585692936,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662936,"result":"done","reference":"ch_01a213e4-a911-7d1b-97a8-81991ae90425/charge","attempt":1},"restaurant":{"tried_at":1785585692936,"result":"done","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(6,'declined','Restaurant 4','FAILED',0,4,'{"id":"01a213e4-a911-7839-ac06-08b81e77d116","user_id":"declined","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662936,"updated_at":1785585662936,"name":"item","email":"c@example.com","status":"FAILED","error_message":"The card was declined.","cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662936,"result":"refused","reference":null,"attempt":1}},"version":4}');
INSERT INTO orders VALUES(7,'cancelled','Restaurant 4','CANCELLED',0,8,'{"id":"01a213e4-a911-7bae-8ee9-c6cec5c4bc91","user_id":"cancelled","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662936,"updated_at":1785585692936,"name":"item","email":"c@example.com","status":"CANCELLED","error_message":"The customer cancelled the order.","cancel_requested_at":1785585662936,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662936,"result":"done","reference":"ch_01a213e4-a911-7bae-8ee9-c6cec5c4bc91/charge","attempt":1},"refund":{"tried_at":1785585692936,"result":"done","reference":"re_01a213e4-a911-7bae-8ee9-c6cec5c4bc91/refund","attempt":1}},"version":8}');
INSERT INTO orders VALUES(8,'deleted','Restaurant 4','SUCCESS',1,8,'{"id":"01a213e4-a911-75a9-8766-c21ae01af3f3","user_id":"deleted","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662936,"updated_at":1785585702936,"name":"item","email":"c@example.com","status":"SUCCESS","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585692936,"deleted_at":1785585702936,"effects":{"charge":{"tried_at":1785585662936,"result":"done","reference":"ch_01a213e4-a911-75a9-8766-c21ae01af3f3/charge","attempt":1},"restaurant":{"tried_at":1785585692936,"result":"done","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(9,'refund pending','Restaurant 4','REFUND_PENDING',0,8,'{"id":"01a213e4-a911-7f29-8d3f-c128b04f3383","user_id":"refund pending","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662936,"updated_at":1785585692936,"name":"item","email":"c@example.com","status":"REFUND_PENDING","error_message":"The restaurant is closed.","cancel_requested_at":null,"hold_closed_at":1785585692936,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662936,"result":"done","reference":"ch_01a213e4-a911-7f29-8d3f-c128b04f3383/charge","attempt":1},"restaurant":{"tried_at":1785585692936,"result":"refused","reference":null,"attempt":1},"refund":{"tried_at":1785585692936,"result":"unknown","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(10,'in its hold','Restaurant 4','PAID',0,3,'{"id":"01a213e4-aa07-78aa-bffd-eb95b75a450c","user_id":"in its hold","restaurant_id":"Restaurant 4","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702936,"updated_at":1785585702936,"name":"Ä","email":"d@example.com","status":"PAID","error_message":null,"cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702936,"result":"done","reference":"ch_01a213e4-aa07-78aa-bffd-eb95b75a450c/charge","attempt":1}},"version":3}');
INSERT INTO orders VALUES(11,'cancelled in its hold','Restaurant 4','REFUND_PENDING',0,4,'{"id":"01a213e4-aa2f-7c45-a730-725d4ac85d44","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702936,"updated_at":1785585702936,"name":"item","email":"d@example.com","status":"REFUND_PENDING","error_message":null,"cancel_requested_at":1785585702936,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702936,"result":"done","reference":"ch_01a213e4-aa2f-7c45-a730-725d4ac85d44/charge","attempt":1}},"version":4}');
INSERT INTO orders VALUES(12,'call under way','Restaurant 4','PENDING',0,2,'{"id":"01a213e4-aa38-7fe8-8990-6c287bd3ea4c","user_id":"call under way","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702936,"updated_at":1785585702936,"name":"item","email":"e@example.com","status":"PENDING","error_message":null,"cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702936,"result":"unknown","reference":null,"attempt":1}},"version":2}');
CREATE INDEX orders_deleted ON orders (status) WHERE deleted = 1;
CREATE INDEX orders_restaurant ON orders (restaurant_id);
CREATE INDEX orders_status ON orders (status) WHERE status <> 'SUCCESS';
CREATE INDEX orders_user ON orders (user_id);

DROP TABLE IF EXISTS task_token;
CREATE TABLE task_token (
  hash              TEXT PRIMARY KEY,
  execution         INTEGER NOT NULL REFERENCES execution (no),
  task              INTEGER NOT NULL,
  busy              INTEGER NOT NULL,
  timeout_at        INTEGER,
  heartbeat_seconds INTEGER,
  heartbeat_at      INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO task_token VALUES('6fca94b0f5cee561ab0fb0990baf2ff2ed1c3fb1f42fb46b7063b9fa37e1d7b0',3,1,0,NULL,NULL,NULL);
INSERT INTO task_token VALUES('9987ff5c1683a443f8137b9473ca4988aa45046bdd85225e58508ca7b9ef2f9b',2,5,0,NULL,NULL,NULL);
CREATE INDEX task_token_execution ON task_token (execution);

DELETE FROM main.sqlite_sequence WHERE name='message';
INSERT INTO main.sqlite_sequence VALUES ('message', 13);

pragma user_version=4;
pragma application_id=1165520996;

COMMIT TRANSACTION;
