//! The model of the table keeps the contract that the embedded table keeps.

use perezvon_store::contract;
use perezvon_tests::model::Model;

#[tokio::test]
async fn the_model_keeps_the_contract_of_the_table() {
    contract::all(&Model::new()).await.expect("the contract holds");
}
